import { DEFAULT_FOLDS, DEFAULT_MEMORY } from "../../run/memory/settings.ts";
import { methodOf, needsReferences, needsStatistics } from "../../unlearn/methods.ts";
import { present } from "../parse_settings.ts";
import { candidatesOf, metaLearningOf, recipeOf } from "../resolve_settings.ts";
import type {
  BaselineMethodSettings,
  DataSettings,
  GridSettings,
  MemoryMethodSettings,
  MetaUnlearnSettings,
} from "../settings.ts";
import type { Stage, StageTask } from "../stage.ts";

/** Adds a stage to the plan, or gives the same one again. */
export type Add = (
  title: string,
  task: StageTask,
  inputs: Readonly<Record<string, Stage | string>>,
) => Stage;

/** One split of the grid: where it comes from and the folder of its kits' key. */
export interface SplitOrder {
  readonly settings: GridSettings;
  readonly data: DataSettings;
  readonly root: Stage | string;
  readonly forget: number;
  readonly seed: number;
  readonly key: string;
  readonly add: Add;
}

/** What a method reads besides the models, by name. */
export type MethodInputs = Readonly<Record<string, Stage | string>> & { readonly choose?: Stage };

/** MetaUnlearn's kit. */
export function planKit(
  { settings: grid, data, forget, seed, key, add }: SplitOrder,
  { name, metaLearning }: MetaUnlearnSettings,
  at: string,
  from: Readonly<Record<string, Stage | string>>,
): MethodInputs {
  const settings = metaLearningOf(data, forget, metaLearning);
  const folds: Record<string, Stage> = settings.form.align === "folds"
    ? { folds: planFolds({ add, seed }, foldsOf(grid), at, from) }
    : {};
  const inputs = { ...from, ...folds, identityKey: key };
  const kit = add(`meta-learn ${name} ${at}`, { kind: "meta-learn", settings, seed }, inputs);
  return { kit, identityKey: key };
}

/** Fold models and rows of every rank that the grid has with the same folds and rounds, made once. */
export function planMemory(
  { settings, data, seed, add }: SplitOrder,
  row: MemoryMethodSettings,
  at: string,
  from: Readonly<Record<string, Stage | string>>,
): MethodInputs {
  const { folds: count, foldSets: sets } = row;
  const folds = planFolds({ add, seed }, row, at, from);
  const alike = settings.methods.filter((other): other is MemoryMethodSettings =>
    other.method === "memory" && other.updates === row.updates &&
    JSON.stringify(tuned(other)) === JSON.stringify(tuned(row)) &&
    other.folds === count &&
    other.foldSets === sets
  );
  const ranks = [...new Set(alike.map(({ rank }) => rank))];
  // The same training once more, looked on at: its weights are the model's, bit for bit.
  const updates: Record<string, Stage> = row.updates
    ? {
      updates: add(
        `log updates ${at}`,
        { kind: "log-updates", preset: data.preset, recipe: recipeOf(data), seed },
        from,
      ),
    }
    : {};
  const memory = add(
    `memorise ${at}`,
    {
      kind: "memorise",
      settings: tuned(row),
      ...{ ranks, seed },
    },
    { ...from, folds, ...updates },
  );
  return { memory };
}

/** How a row's memory is made. */
function tuned({ rounds, mostLost, power, retainWeight, ...row }: MemoryMethodSettings) {
  const { momentum, stableShare, lastStep, retainImages, labelShare } = row;
  const valWeight = retainWeight === undefined ? undefined : retainWeight / 2;
  const weights = { retainWeight, valWeight, retainImages, labelShare };
  return {
    ...DEFAULT_MEMORY,
    ...present({ mostLost, power }),
    memorise: {
      ...DEFAULT_MEMORY.memorise,
      ...present({ momentum, stableShare, lastStep, ...weights }),
      rounds,
    },
  };
}

/** A split's fold models; those of one number are one stage. */
function planFolds(
  { add, seed }: Pick<SplitOrder, "add" | "seed">,
  { folds: count, foldSets: sets }: Pick<MemoryMethodSettings, "folds" | "foldSets">,
  at: string,
  from: Readonly<Record<string, Stage | string>>,
): Stage {
  return add(`folds ${at}`, { kind: "folds", count, sets, seed }, from);
}

/** The folds of the grid's memory, so that a grid trains one lot of them; else the usual ones. */
function foldsOf({ methods }: GridSettings) {
  const row = methods.find((row): row is MemoryMethodSettings => row.method === "memory");
  return row ?? DEFAULT_FOLDS;
}

/** Another method's settings and, where it needs them, the training images' statistics. */
export function planChoice(
  { settings, data, forget, seed, add }: SplitOrder,
  row: BaselineMethodSettings,
  at: string,
  from: Readonly<Record<string, Stage | string>>,
): MethodInputs {
  const statistics: Record<string, Stage> = needsStatistics(methodOf(row.method))
    ? { statistics: add(`statistics ${at}`, { kind: "statistics" }, from) }
    : {};
  const folds: Record<string, Stage> = needsReferences(methodOf(row.method))
    ? { folds: planFolds({ add, seed }, foldsOf(settings), at, from) }
    : {};
  const candidates = candidatesOf(row, data, forget);
  const choose = add(
    `choose ${row.name}'s settings ${at}`,
    { kind: "choose", method: row.method, candidates, seed },
    { ...from, ...statistics, ...folds },
  );
  return { choose, ...statistics, ...folds };
}
