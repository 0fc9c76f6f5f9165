import { UsageError } from "../lib/error.ts";
import type { MemoryChoice } from "../lib/run/memory/remember_people.ts";
import { DEFAULT_FOLDS, DEFAULT_MEMORY } from "../lib/run/memory/settings.ts";
import type { OptionTable, OptionValues } from "./options.ts";

/** What a kit is to remember of each person. */
export const MEMORY_ROW_OPTIONS = {
  memory: {
    kind: "text",
    default: "none",
    value: "RANK|full|none",
    help: "write down what the model memorised of each person, sealed: --method memory needs it",
  },
  folds: {
    kind: "integer",
    min: 2,
    max: 1000,
    default: DEFAULT_FOLDS.folds,
    help: "with --memory: models trained without one fold of the people each",
  },
  foldSets: {
    kind: "integer",
    min: 1,
    max: 16,
    default: DEFAULT_FOLDS.foldSets,
    help: "with --memory: partitions into folds; answers are averaged",
  },
  foldModels: {
    kind: "path",
    value: "DIR",
    help: "with --memory: where fold models lie or are made (KIT.folds)",
  },
  foldInit: {
    kind: "path",
    value: "FILE",
    help: "with --memory: weights that the model's own training started from (train --init)",
  },
  rounds: {
    kind: "integer",
    min: 1,
    max: 1000,
    default: DEFAULT_MEMORY.memorise.rounds,
    help: "with --memory: how often everybody is dealt into simulated requests",
  },
} as const satisfies OptionTable;

/** @throws UsageError `--memory` is no rank, full or none */
export function memoryRowChoice(
  { memory, folds, foldSets, foldModels, foldInit, rounds }: OptionValues<
    typeof MEMORY_ROW_OPTIONS
  >,
): MemoryChoice | undefined {
  if (memory === "none") return undefined;
  const rank = memory === "full" ? null : Number(memory);
  if (rank !== null && !(/^[0-9]{1,5}$/.test(memory) && rank >= 1)) {
    throw new UsageError(
      `--memory ${memory}`,
      "it is a rank from 1 on, full or none",
      "for example --memory 4",
    );
  }
  return {
    ...{ rank, folds, foldSets, rounds },
    ...(foldModels === undefined ? {} : { foldModels }),
    ...(foldInit === undefined ? {} : { foldInit }),
  };
}
