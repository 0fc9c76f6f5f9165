import { join } from "@std/path";
import { LetheError } from "../../error.ts";
import { JsonFields, parseJsonObject } from "../../files/json_fields.ts";
import { integer, OBJECT } from "../../files/json_kinds.ts";
import { readPlainText } from "../../files/plain_file.ts";
import type { Model } from "../../model/checkpoint.ts";
import { type PresetName, PRESETS } from "../../model/config.ts";
import { readPretrained } from "../../model/pretrained/read_pretrained.ts";
import type { TrainingRecipe } from "../../model/recipes.ts";
import type { Random } from "../../random.ts";
import type { Device } from "../../tensor/device.ts";
import type { OnProgress } from "../progress.ts";
import { trainModel } from "../train_model.ts";
import { trainInWorker } from "../training/train_worker.ts";
import {
  aboutOf,
  foldFolder,
  type Folds,
  foldsPath,
  readFoldModel,
  readFolds,
  writeFolds,
} from "./folds_file.ts";

/** What {@link foldModels} needs. */
export interface FoldModelsOptions {
  readonly device: Device;
  /** The model's folder, whose `history.json` tells how it was trained. */
  readonly modelFolder: string;
  readonly model: Model;
  readonly split: string;
  readonly splitHash: string;
  readonly data: string;
  /** Folder of the fold models: those that are there are used, the others are trained. */
  readonly folder: string;
  /** Training people in the order of their rows. */
  readonly identities: readonly string[];
  readonly count: number;
  readonly sets: number;
  /** Weights that the model's own training started from. */
  readonly init?: string;
  readonly microBatch?: number | undefined;
  readonly memoryLimit?: number | undefined;
  readonly cache?: string | undefined;
  /** Models that are trained at once, each in a worker; default one after the other, in this thread. */
  readonly atOnce?: number;
  readonly random: Random;
  readonly onProgress?: OnProgress | undefined;
  readonly onNotice?: (line: string) => void;
}

/** Everybody in folds of equal size, anew in each partition. */
export function dealFolds(people: number, count: number, sets: number, random: Random): Folds {
  return {
    count,
    sets: Array.from({ length: sets }, (_, set) => {
      const order = random.fork(`partition ${set}`).shuffle(
        Array.from({ length: people }, (_, i) => i),
      );
      const folds = new Array<number>(people);
      order.forEach((row, i) => folds[row] = i % count);
      return folds;
    }),
  };
}

/**
 * Trains, by the model's own recipe and seed, a model without each fold of the training people, so that for
 * every training image there is an answer of a model that never saw its person. Models that are whole are
 * kept; a stopped one goes on after its last epoch.
 *
 * @throws {LetheError} the folder is another model's or split's; the model does not tell its recipe
 */
export async function foldModels(options: FoldModelsOptions): Promise<Folds> {
  const { folder, identities, count, sets, random, modelFolder, model } = options;
  const about = aboutOf(model, options.splitHash);
  const path = foldsPath(folder);
  const there = await Deno.lstat(path).then(() => true, () => false);
  const folds = there
    ? await readFolds(path, about, identities.length)
    : dealFolds(identities.length, count, sets, random);
  if (!there) await writeFolds(path, about, folds);
  const all = folds.sets.flatMap((_, set) =>
    Array.from({ length: folds.count }, (_, fold) => [set, fold] as const)
  );
  const { recipe, seed } = await trainingOf(modelFolder);
  const { device, split, data, init, microBatch, memoryLimit, cache, onNotice } = options;
  const { atOnce = 1 } = options;
  const inTurn = all.entries();
  const trainInTurn = async (place: number) => {
    for (const [i, [set, fold]] of inTurn) {
      const out = foldFolder(folder, set, fold);
      if (await Deno.lstat(out).then(() => true, () => false)) continue;
      const order = {
        ...{ split, data, out, recipe, withoutForget: false },
        // Another partition's models start elsewhere, so that the mean of two answers is of two draws.
        seed: seed + set,
        preset: presetOf(model),
        leaveOut: new Set(identities.filter((_, row) => folds.sets[set][row] === fold)),
        ...(init === undefined ? {} : { init }),
        ...(microBatch === undefined ? {} : { microBatch }),
        ...(memoryLimit === undefined ? {} : { memoryLimit }),
        ...(cache === undefined ? {} : { cache }),
      };
      const onProgress: OnProgress = (step) => {
        // Of several at once one tells how far it is.
        if (place > 0) return;
        options.onProgress?.({ ...step, stage: `fold ${i + 1} of ${all.length}: ${step.stage}` });
      };
      if (atOnce > 1) await trainInWorker({ ...order, backend: device.backend }, onProgress);
      else await trainModel({ ...order, device, onProgress, ...(onNotice ? { onNotice } : {}) });
    }
  };
  await Promise.all(Array.from({ length: atOnce }, (_, place) => trainInTurn(place)));
  return folds;
}

/**
 * Holds what {@link foldModels} will read against what it has to be, before hours of work that end with it:
 * the fold models that are there, and what the others are trained by.
 *
 * @returns fold models that are there, and how many there are to be
 * @throws {LetheError} as {@link foldModels}, and a fold model is damaged, of another size or has other labels
 */
export async function checkFoldModels(
  { folder, identities, count, sets, modelFolder, model, splitHash, init }: Pick<
    FoldModelsOptions,
    "folder" | "identities" | "count" | "sets" | "modelFolder" | "model" | "splitHash" | "init"
  >,
): Promise<{ readonly there: number; readonly all: number }> {
  const path = foldsPath(folder);
  const made = await Deno.lstat(path).then(() => true, () => false);
  const folds = made
    ? await readFolds(path, aboutOf(model, splitHash), identities.length)
    : { count, sets: new Array(sets).fill([]) };
  let there = 0;
  for (const set of folds.sets.keys()) {
    for (let fold = 0; fold < folds.count; fold++) {
      const own = foldFolder(folder, set, fold);
      if (!await Deno.lstat(own).then(() => true, () => false)) continue;
      if (!made) throw strayFold(folder, own);
      await readFoldModel(own, model.config);
      there++;
    }
  }
  const all = folds.count * folds.sets.length;
  if (there < all) {
    presetOf(model);
    await trainingOf(modelFolder);
    if (init !== undefined) await readPretrained(init);
  }
  return { there, all };
}

/** Models that nothing tells the people of. */
function strayFold(folder: string, own: string): LetheError {
  return new LetheError(
    `${own} is there, and ${foldsPath(folder)} is not`,
    "that file tells whom each fold model never saw",
    "restore it, or name another folder with --fold-models",
  );
}

/** How a model was trained, by its `history.json`. */
async function trainingOf(folder: string): Promise<{ recipe: TrainingRecipe; seed: number }> {
  const path = join(folder, "history.json");
  const remedy = "train the fold models yourself and name their folder with --fold-models";
  const text = await readPlainText(path, { maxBytes: 2 ** 26, remedy });
  const fields = new JsonFields(parseJsonObject(text, path, remedy), path, remedy);
  const recipe = fields.read("recipe", OBJECT) as unknown as TrainingRecipe;
  return { recipe, seed: fields.read("seed", integer(0, Number.MAX_SAFE_INTEGER)) };
}

function presetOf({ config }: Model): PresetName {
  const names = Object.keys(PRESETS) as PresetName[];
  const found = names.find((name) => {
    const { source: _, ...shape } = PRESETS[name];
    return Object.entries(shape).every(([key, value]) =>
      config[key as keyof typeof config] === value
    );
  });
  if (found) return found;
  throw new LetheError(
    "the model has a size that no preset has",
    "fold models are trained from a preset",
    "train them yourself and name their folder with --fold-models",
  );
}
