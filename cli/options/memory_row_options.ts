import { UsageError } from "../../lib/error.ts";
import { ROW_LAYERS } from "../../lib/model/kit/row_layers.ts";
import type { FoldChoice, MemoryChoice } from "../../lib/run/memory/remember_people.ts";
import {
  DEFAULT_FOLDS,
  DEFAULT_MEMORY,
  ROW_RECIPES,
  type RowRecipe,
} from "../../lib/run/memory/settings.ts";
import type { OptionTable, OptionValues } from "../command/options.ts";

/** What a kit is to remember of each person. */
export const MEMORY_ROW_OPTIONS = {
  memory: {
    kind: "text",
    default: "none",
    value: "RANK|full|none",
    help: "write down what the model memorised of each person, sealed: --method memory needs it",
  },
  folds: {
    with: ["memory", "align=folds"],
    kind: "integer",
    min: 2,
    max: 1000,
    default: DEFAULT_FOLDS.folds,
    help: "with --memory or --align folds: models trained without one fold of the people each",
  },
  foldSets: {
    with: ["memory", "align=folds"],
    kind: "integer",
    min: 1,
    max: 16,
    default: DEFAULT_FOLDS.foldSets,
    help: "with --memory or --align folds: partitions into folds; answers are averaged",
  },
  foldModels: {
    with: ["memory", "align=folds"],
    kind: "path",
    takes: "fold models to go on with",
    value: "DIR",
    help: "with --memory or --align folds: where fold models lie or are made (KIT.folds)",
  },
  foldInit: {
    with: ["memory", "align=folds"],
    kind: "path",
    takes: "weights",
    value: "FILE",
    help:
      "with --memory or --align folds: weights that the model's own training started from (train --init)",
  },
  memoryRows: {
    with: ["memory"],
    kind: "choice",
    of: Object.keys(ROW_RECIPES) as RowRecipe[],
    default: "quick",
    help:
      "with --memory: selective and labelled take ten times as long, and others lose less for what is forgotten",
  },
  rounds: {
    with: ["memory"],
    kind: "integer",
    min: 1,
    max: 1000,
    help: "with --memory: how often everybody is dealt into simulated requests (8; selective 40)",
  },
  mostLost: {
    with: ["memory"],
    kind: "number",
    min: 0,
    max: 100,
    default: 100 * DEFAULT_MEMORY.mostLost,
    help: "with --memory: points that people who stay may lose by simulated requests",
  },
  memoryLayers: {
    with: ["memory"],
    kind: "choice",
    of: [...ROW_LAYERS, "chosen"],
    default: "all",
    help:
      "with --memory: layers that rows are kept of, the head always; chosen: by simulated requests",
  },
  storedUpdates: {
    with: ["memory"],
    kind: "path",
    takes: "updates",
    value: "DIR",
    help: "with --memory: rows are what train --log-updates logged (MODEL.updates), no rounds",
  },
} as const satisfies OptionTable;

/** @throws UsageError `--memory` is no rank, full or none */
export function memoryRowChoice(
  options: OptionValues<typeof MEMORY_ROW_OPTIONS>,
): MemoryChoice | undefined {
  const { memory, memoryRows, memoryLayers: layers, rounds, mostLost, storedUpdates } = options;
  const rank = rankChoice("--memory", memory);
  if (rank === undefined) return undefined;
  return {
    ...{ ...foldChoice(options), rank, layers, mostLost: mostLost / 100 },
    recipe: ROW_RECIPES[memoryRows],
    ...(rounds === undefined ? {} : { rounds }),
    ...(storedUpdates === undefined ? {} : { storedUpdates }),
  };
}

/** The fold models that the options ask for. */
export function foldChoice(
  { folds, foldSets, foldModels, foldInit }: OptionValues<typeof MEMORY_ROW_OPTIONS>,
): FoldChoice {
  return {
    ...{ folds, foldSets },
    ...(foldModels === undefined ? {} : { foldModels }),
    ...(foldInit === undefined ? {} : { foldInit }),
  };
}

/**
 * What is kept of each weight matrix: a rank, null for all; undefined for none.
 *
 * @param option as it is written
 * @throws UsageError it is no rank, full or none
 */
export function rankChoice(option: string, text: string): number | null | undefined {
  if (text === "none") return undefined;
  if (text === "full") return null;
  if (/^[0-9]{1,5}$/.test(text) && Number(text) >= 1) return Number(text);
  throw new UsageError(
    `${option} ${text}`,
    "it is a rank from 1 on, full or none",
    `for example ${option} 4`,
  );
}
