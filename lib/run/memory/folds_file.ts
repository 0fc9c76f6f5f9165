import { join } from "@std/path";
import { LetheError } from "../../error.ts";
import { JsonFields, parseJsonObject } from "../../files/json_fields.ts";
import { HASH, integer, list } from "../../files/json_kinds.ts";
import { readPlainText } from "../../files/plain_file.ts";
import { sha256Hex } from "../../files/sha256.ts";
import { writeWhole } from "../../files/write_whole.ts";
import { type Model, modelMetadata, readModel } from "../../model/checkpoint.ts";
import type { ModelConfig } from "../../model/config.ts";
import { encodeSafetensors } from "../../model/encode_safetensors.ts";

/** Who is left out of which fold model: `sets[a][row]` is the fold of a person in the a-th partition. */
export interface Folds {
  readonly count: number;
  readonly sets: readonly (readonly number[])[];
}

/** Where a folder of fold models says whom each never saw. */
export function foldsPath(folder: string): string {
  return join(folder, "folds.json");
}

/** Where a fold's model lies. */
export function foldFolder(folder: string, set: number, fold: number): string {
  return join(folder, `set${set}_fold${fold}`);
}

/** What fold models belong to. */
export function aboutOf(model: Model, splitHash: string) {
  return {
    version: 1,
    split: splitHash,
    model: sha256Hex(encodeSafetensors(model.theta, modelMetadata(model))),
  };
}

/** Writes who is left out of which. */
export async function writeFolds(
  path: string,
  about: ReturnType<typeof aboutOf>,
  { count, sets }: Folds,
): Promise<void> {
  await writeWhole(path, JSON.stringify({ ...about, folds: count, sets }) + "\n");
}

/** Reads it. @throws {LetheError} it is missing, damaged, or another model's or split's */
export async function readFolds(
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
  const folds = await readFolds(foldsPath(folder), aboutOf(model, splitHash), people);
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

/** A fold's model. @throws {LetheError} it is of another size or has other labels */
export async function readFoldModel(path: string, config: ModelConfig): Promise<Model> {
  const model = await readModel(path);
  if (JSON.stringify(model.config) === JSON.stringify(config)) return model;
  throw new LetheError(
    `${path} is another kind of model`,
    "fold models have the model's own size and labels",
    "train them by the model's recipe",
  );
}
