import { join } from "@std/path";
import { canonicalJson } from "../files/canonical_json.ts";
import type { DatasetName } from "../data/sample.ts";
import { sha256Hex } from "../files/sha256.ts";
import type { PresetName } from "../model/config.ts";
import type { TrainingRecipe } from "../model/recipes.ts";
import type { MemorySettings } from "../run/memory/memory_inputs.ts";
import type { MetaLearnSettings } from "../run/meta_learning/settings.ts";
import type { MethodName, MethodSettings } from "../unlearn/methods.ts";
import type { MeasureSettings, PortraitSizes } from "./settings.ts";

/** What a worker that does stages is started as. */
export const STAGE_WORKER = "lethe-stage";

/** What a stage is told to do, without paths: what its result depends on besides its inputs. */
export type StageTask =
  | { readonly kind: "draw"; readonly portraits: PortraitSizes }
  | {
    readonly kind: "split";
    readonly layout: DatasetName;
    readonly forget: number;
    readonly seed: number;
  }
  | {
    readonly kind: "train";
    readonly preset: PresetName;
    readonly recipe: TrainingRecipe;
    readonly seed: number;
    readonly withoutForget: boolean;
  }
  | { readonly kind: "meta-learn"; readonly settings: MetaLearnSettings; readonly seed: number }
  | {
    readonly kind: "folds";
    readonly count: number;
    readonly sets: number;
    readonly seed: number;
  }
  | {
    readonly kind: "memorise";
    readonly settings: MemorySettings;
    readonly ranks: readonly (number | null)[];
    readonly seed: number;
  }
  | {
    readonly kind: "log-updates";
    readonly preset: PresetName;
    readonly recipe: TrainingRecipe;
    readonly seed: number;
  }
  | { readonly kind: "predict" }
  | { readonly kind: "statistics" }
  | ChooseTask
  | {
    readonly kind: "unlearn";
    readonly method: MethodName;
    readonly seed: number;
    /** Of memory: which of its rows. */
    readonly rank?: number | null;
  }
  | { readonly kind: "sequence"; readonly requests: number; readonly rank?: number | null }
  | { readonly kind: "describe" }
  | { readonly kind: "measure"; readonly measure: MeasureSettings; readonly seed: number };

/** Chooses a method's settings among candidates; one alone is taken as it is. */
export interface ChooseTask {
  readonly kind: "choose";
  readonly method: MethodName;
  readonly candidates: readonly MethodSettings[];
  readonly seed: number;
}

/** Folders that a stage reads, by what they are to it. */
export type StageInputs = Readonly<Record<string, string>>;

/** One step of the grid: a task, the folders that it reads, and the folder that it makes. */
export interface Stage {
  readonly task: StageTask;
  readonly inputs: StageInputs;
  /** The folder to make; its name ends in a hash of all that its content depends on. */
  readonly out: string;
  /** Folders of the stages that must be done first. */
  readonly needs: readonly string[];
  /** For people: `train celeba/20 seed 0, retrained`. */
  readonly title: string;
}

/** What a stage that computes numbers only leaves in its folder. */
export const RESULT_FILE = "result.json";

/** Raised when a stage's code gives other results for the same task. */
const STAGE_VERSIONS: Readonly<Record<StageTask["kind"], number>> = {
  draw: 1,
  split: 1,
  train: 1,
  "meta-learn": 1,
  folds: 1,
  "log-updates": 1,
  memorise: 2,
  predict: 1,
  statistics: 1,
  choose: 2,
  unlearn: 1,
  sequence: 1,
  describe: 1,
  measure: 1,
};

/** Kinds whose results are made on the device, and so depend on it. */
export const ON_DEVICE: readonly StageTask["kind"][] = [
  "train",
  "meta-learn",
  "folds",
  "log-updates",
  "memorise",
  "statistics",
  "choose",
  "predict",
  "unlearn",
  "sequence",
];

/**
 * Names a stage's folder by its content: the hash of the task, of the inputs' own names (hashes
 * themselves) and, where tensors are computed, of the adapter. Equal names mean equal content, so a
 * folder that exists is never made again, and a changed setting changes the names of all that depends
 * on it and of nothing else.
 *
 * @param folder where stages are kept
 * @param inputs stages by what they are to this one, or the path of a data set
 */
export function makeStage(
  folder: string,
  device: string,
  title: string,
  task: StageTask,
  inputs: Readonly<Record<string, Stage | string>>,
): Stage {
  const paths = Object.entries(inputs).map(([name, input]) =>
    [name, typeof input === "string" ? input : input.out] as const
  );
  const identity = {
    version: STAGE_VERSIONS[task.kind],
    task,
    // Within the grid's own folder a name says it all, wherever the folder lies.
    inputs: Object.fromEntries(
      paths.map((
        [name, path],
      ) => [name, path.startsWith(folder) ? path.slice(folder.length) : path]),
    ),
    device: ON_DEVICE.includes(task.kind) ? device : null,
  };
  const hash = sha256Hex(new TextEncoder().encode(canonicalJson(identity))).slice(0, 20);
  return {
    task,
    inputs: Object.fromEntries(paths),
    out: join(folder, `${task.kind}-${hash}`),
    needs: Object.values(inputs).flatMap((input) => typeof input === "string" ? [] : [input.out]),
    title,
  };
}
