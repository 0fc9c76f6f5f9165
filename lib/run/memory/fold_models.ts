import { join } from "@std/path";
import { LetheError } from "../../error.ts";
import { integer, JsonFields, list, OBJECT, parseJsonObject } from "../../files/json_fields.ts";
import { HASH } from "../../files/json_fields.ts";
import { readPlainText } from "../../files/plain_file.ts";
import { sha256Hex } from "../../files/sha256.ts";
import { writeWhole } from "../../files/write_whole.ts";
import { type Model, modelMetadata } from "../../model/checkpoint.ts";
import { encodeSafetensors } from "../../model/safetensors.ts";
import { type PresetName, PRESETS } from "../../model/config.ts";
import type { TrainingRecipe } from "../../model/recipes.ts";
import type { Random } from "../../random.ts";
import type { Device } from "../../tensor/device.ts";
import type { OnProgress } from "../progress.ts";
import { trainModel } from "../train_model.ts";
import { trainInWorker } from "../train_worker.ts";

/** Who is left out of which fold model: `sets[a][row]` is the fold of a person in the a-th partition. */
export interface Folds {
  readonly count: number;
  readonly sets: readonly (readonly number[])[];
}

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

const FILE = "folds.json";

/** Where a fold's model lies. */
export function foldFolder(folder: string, set: number, fold: number): string {
  return join(folder, `set${set}_fold${fold}`);
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
  const path = join(folder, FILE);
  const there = await Deno.lstat(path).then(() => true, () => false);
  const folds = there
    ? await readFolds(path, about, identities.length)
    : dealFolds(identities.length, count, sets, random);
  if (!there) {
    await Deno.mkdir(folder, { recursive: true });
    const text = JSON.stringify({ ...about, folds: folds.count, sets: folds.sets }) + "\n";
    await writeWhole(path, text);
  }
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
 * Fold models that are all there.
 *
 * @param people number of training people
 * @throws {LetheError} the folder is another model's or split's, or lacks a model
 */
export async function openFolds(
  folder: string,
  model: Model,
  splitHash: string,
  people: number,
): Promise<Folds> {
  const folds = await readFolds(join(folder, FILE), aboutOf(model, splitHash), people);
  for (const set of folds.sets.keys()) {
    for (let fold = 0; fold < folds.count; fold++) {
      const path = foldFolder(folder, set, fold);
      if (await Deno.lstat(path).then(() => true, () => false)) continue;
      throw new LetheError(
        `there is no ${path}`,
        "every fold has a model that never saw its people",
        "train them with deno task meta-learn --memory, which goes on where it was stopped",
      );
    }
  }
  return folds;
}

/** What fold models belong to. */
function aboutOf(model: Model, splitHash: string) {
  return {
    version: 1,
    split: splitHash,
    model: sha256Hex(encodeSafetensors(model.theta, modelMetadata(model))),
  };
}

async function readFolds(
  path: string,
  about: { readonly split: string; readonly model: string },
  people: number,
): Promise<Folds> {
  const remedy =
    "name the fold models of this model and split; meta-learn makes KIT.folds anew where " +
    "there are none";
  const text = await readPlainText(path, { maxBytes: 2 ** 28, remedy });
  const fields = new JsonFields(parseJsonObject(text, path, remedy), path, remedy);
  fields.read("version", integer(1, 1));
  for (const name of ["split", "model"] as const) {
    if (fields.read(name, HASH) !== about[name]) {
      fields.refuse(`its ${name} is another`, "fold models belong to one model on one split");
    }
  }
  const count = fields.read("folds", integer(2, 1000));
  const sets = fields.read("sets", list(list(integer(0, count - 1), people, people), 1, 16));
  fields.end();
  return { count, sets };
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
