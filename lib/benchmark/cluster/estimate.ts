import { bytesPerImage, type Pass, thetaBytes } from "../../model/memory_plan.ts";
import { PRESETS } from "../../model/config.ts";
import { MOST_FURTHER } from "../../unlearn/further_candidate.ts";
import type { Device } from "../../tensor/device.ts";
import type { Stage } from "../stage.ts";

/** What a stage is thought to take; upper bounds for a scheduler, no measurements. */
export interface Estimate {
  /** Of the process, device memory of a software adapter or WASM included, MiB. */
  readonly memoryMiB: number;
  /** On the slowest machine that is likely, seconds. */
  readonly seconds: number;
}

/** A process with tfjs, its threads and decoded images, before any model. */
const PROCESS_MIB = 1024;
/** What a slow core does in a ViT's products: 5 GFLOP/s; a card of ten years ago, 500. */
const RATE = { wasm: 5e9, webgpu: 500e9 } as const;
/** Images per pass that memory is reckoned for. */
const BATCH = 64;
/** Images of a data set whose size nobody has told: CelebA's. */
const UNKNOWN_IMAGES = 202_599;
/** Labels of a head: CelebA's. */
const LABELS = 40;

/**
 * Estimates a stage by what its model takes: a ViT's forward pass does 2 x parameters x tokens
 * operations per image, a gradient three times as many.
 *
 * @param stages all of the plan by their folders, to look up which model a stage works on
 * @param images number of images by data set's name (as titles end in it), where it is known
 */
export function estimateStage(
  stage: Stage,
  stages: ReadonlyMap<string, Stage>,
  backend: Device["backend"],
  images: ReadonlyMap<string, number>,
): Estimate {
  const trained = trainedBy(stage, stages);
  const count = imagesOf(stage, images);
  if (!trained) return { memoryMiB: PROCESS_MIB, seconds: Math.ceil(60 + count / 200) };
  const { task } = trained;
  if (task.kind !== "train") throw new TypeError(`${trained.title} trains no model`);
  const shape = PRESETS[task.preset];
  const [pass, passes] = workOf(stage, task.recipe.epochs);
  const tokens = (shape.imageSize / shape.patchSize) ** 2 + 1;
  const operations = 2 * thetaBytes(shape, LABELS) / 4 * tokens;
  const memory = (pass === "predict" ? 2 : 9) * thetaBytes(shape, LABELS) +
    BATCH * bytesPerImage(shape, pass, backend);
  return {
    memoryMiB: Math.ceil(PROCESS_MIB + memory / 2 ** 20),
    seconds: Math.ceil(60 + passes * count * operations / RATE[backend]),
  };
}

/** The stage that trains the model that this one works on; undefined where it works on none. */
function trainedBy(
  stage: Stage,
  stages: ReadonlyMap<string, Stage>,
): Stage | undefined {
  if (stage.task.kind === "train") return stage;
  if (["draw", "split", "describe", "measure"].includes(stage.task.kind)) return undefined;
  const { model, oracle, kit } = stage.inputs;
  const of = (out: string | undefined) => out === undefined ? undefined : stages.get(out);
  const trains = (stage: Stage | undefined) => stage?.task.kind === "train";
  return of(model) ?? [of(oracle)].find(trains) ?? of(kit)?.needs.map(of).find(trains);
}

function imagesOf({ title }: Stage, images: ReadonlyMap<string, number>): number {
  for (const [name, count] of images) if (title.includes(name)) return count;
  return UNKNOWN_IMAGES;
}

/**
 * The costliest pass of a stage, and how many forward passes over the whole data set it comes to.
 *
 * @param epochs of the model that it works on
 */
function workOf({ task }: Stage, epochs: number): [Pass, number] {
  switch (task.kind) {
    case "train":
      return ["train", 3 * task.recipe.epochs];
    case "meta-learn":
      return ["meta-learn", 10 * task.settings.epochs + 2];
    case "choose":
      return ["train", 4 * (task.candidates.length + MOST_FURTHER)];
    case "folds":
      return ["train", 3 * epochs * task.count * task.sets];
    case "memorise":
      return ["train", 10 * task.settings.memorise.rounds];
    case "log-updates":
      return ["train", 9 * epochs];
    case "unlearn":
      return ["train", 12];
    case "sequence":
      return ["train", 3 * task.requests];
    case "statistics":
      return ["train", 4];
    default:
      return ["predict", 1];
  }
}
