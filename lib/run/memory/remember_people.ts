import type { RowLayers } from "../../model/kit/row_layers.ts";
import { predict } from "../../model/predict.ts";
import { photographMatch } from "../../unlearn/memory/photograph_match.ts";
import type { MemoriseRecipe } from "../../unlearn/memory/memory_context.ts";
import type { Person } from "../../unlearn/meta_unlearn/simulate_requests.ts";
import type { KitMemory } from "./kit_memory.ts";
import { makeMemory, type MakeMemoryOptions } from "./make_memory.ts";
import { DEFAULT_MEMORY } from "./settings.ts";

/** Models that never saw a person: a fold of the people is left out of each. */
export interface FoldChoice {
  /** Models of each partition. */
  readonly folds: number;
  /** Partitions of the people. */
  readonly foldSets: number;
  /** Folder of fold models; default beside the kit. */
  readonly foldModels?: string;
  /** Weights that the model's own training started from. */
  readonly foldInit?: string;
}

/** What a kit is asked to remember of each person. */
export interface MemoryChoice extends FoldChoice {
  /** Rank of what is kept of each weight matrix; null for all. */
  readonly rank: number | null;
  /** How rows are made of simulated requests. */
  readonly recipe?: MemoriseRecipe;
  /** How often everybody is dealt into simulated requests; default the recipe's. */
  readonly rounds?: number;
  /** Which tensors rows are of, or `chosen` by simulated requests; default all. */
  readonly layers?: RowLayers | "chosen";
  /** Folder of the updates that `train --log-updates` logged: rows are these, in place of rounds. */
  readonly storedUpdates?: string;
  /** What people who stay may lose by simulated requests, a fraction of the metric. */
  readonly mostLost?: number;
  /** Sizes of the simulated requests that rows are scaled by; default 20, 5 and 1 people. */
  readonly requestSizes?: readonly number[];
  /** Fold models that are trained at once. */
  readonly atOnce?: number;
  /** Trains them in workers while the meta-loss is learned, where {@link atOnce} is more than one. */
  readonly beside?: boolean;
}

/** How {@link foldModels} makes what a choice asks for, beside a kit. */
export function foldsOf({ folds, foldSets, foldModels, foldInit }: FoldChoice, out: string) {
  return {
    folder: foldModels ?? `${out.replace(/[/\\]+$/, "")}.folds`,
    count: folds,
    sets: foldSets,
    ...(foldInit === undefined ? {} : { init: foldInit }),
  };
}

/** Where a kit's rows are made until the kit is there. */
export function rowsFolder(out: string): string {
  return `${out.replace(/[/\\]+$/, "")}.rows`;
}

/** The model and its people, while the data are there. */
export type RememberOptions =
  & Omit<
    MakeMemoryOptions,
    "rowsFolder" | "folder" | "count" | "sets" | "settings" | "ranks" | "init"
  >
  & {
    /** The kit's folder. */
    readonly out: string;
    /** People that the model was not trained on, by whom the photograph's match is measured. */
    readonly unseen: readonly Person[];
  };

/**
 * Makes what a kit remembers: fold models where they are not there, rows of one rank, and how far a
 * photograph may be from its person.
 *
 * @throws {LetheError} the fold models are another model's, or cannot be trained
 */
export async function rememberPeople(
  choice: MemoryChoice,
  { out, unseen, ...options }: RememberOptions,
): Promise<KitMemory> {
  const { rank, recipe, rounds, layers, storedUpdates, mostLost, requestSizes, atOnce } = choice;
  const memorise = recipe ?? DEFAULT_MEMORY.memorise;
  const made = await makeMemory({
    ...options,
    rowsFolder: rowsFolder(out),
    ...foldsOf(choice, out),
    settings: {
      ...DEFAULT_MEMORY,
      memorise: { ...memorise, rounds: rounds ?? memorise.rounds },
      ...(mostLost === undefined ? {} : { mostLost }),
      ...(requestSizes === undefined ? {} : { requestSizes }),
      ...(layers === undefined ? {} : { layers }),
    },
    ranks: [rank],
    ...(storedUpdates === undefined ? {} : { storedUpdates }),
    ...(atOnce === undefined ? {} : { atOnce }),
  });
  const { theta, model: { config }, source, microBatch } = options;
  const images = unseen.flatMap(({ images }) => images);
  const { features } = await predict(theta, config, source, images, microBatch);
  let at = 0;
  const match = photographMatch(
    unseen.map(({ images }) => images.map(() => features.slice(at, at += config.dim))),
  );
  return { learned: made.learned[0], folds: made.folds, match };
}
