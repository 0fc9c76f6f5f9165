import { join } from "@std/path";
import { LetheError } from "../../error.ts";
import { JsonFields, parseJsonObject } from "../../files/json_fields.ts";
import * as is from "../../files/json_kinds.ts";
import { readPlainFile, readPlainText } from "../../files/plain_file.ts";
import { sha256Hex } from "../../files/sha256.ts";
import { buildFolder } from "../../files/write_whole.ts";
import type { Model } from "../../model/checkpoint.ts";
import { decodeRow, encodeRow } from "../../model/kit/memory_row.ts";
import { encodeSafetensors } from "../../model/encode_safetensors.ts";
import type { Weight } from "../../model/safetensors.ts";
import { thetaShapes } from "../../model/theta_shapes.ts";
import { expandedStep, flatStep, rowStep } from "../../unlearn/memory/row_step.ts";

/** What a model's training logged of each person. */
export interface StoredUpdates {
  /** Rank of what was kept of each weight matrix; null for all. */
  readonly rank: number | null;
  /** What theta holds of a person, in theta's shapes. */
  step(person: string): Promise<ReadonlyMap<string, Weight>>;
}

const FILE = "updates.json";
/** Largest row: ViT-B's whole one takes a sixth. */
const MAX_ROW_BYTES = 2 ** 30;

/** What updates belong to: the weights, whatever measured kernels are noted beside them. */
function aboutOf({ theta }: Model, splitHash: string) {
  return { version: 1, split: splitHash, model: sha256Hex(encodeSafetensors(theta)) };
}

/** Where the updates lie that `train --log-updates` logs: as private as the data. */
export function updatesFolder(model: string): string {
  return `${model.replace(/[/\\]+$/, "")}.updates`;
}

/**
 * Writes a person's row each, unsealed, whole or not at all.
 *
 * @param people in the order of their identities
 * @param updates by person, as `flatten` lays theta's names out
 */
export async function writeUpdates(
  folder: string,
  model: Model,
  splitHash: string,
  rank: number | null,
  people: readonly string[],
  updates: readonly Float32Array[],
): Promise<void> {
  const { config } = model;
  const shapes = thetaShapes(config, config.labels.length);
  await buildFolder(folder, async (staging) => {
    for (const [row, update] of updates.entries()) {
      const step = rowStep(flatStep(update, shapes), rank);
      const bytes = encodeRow({ step, centroid: new Float32Array(config.dim) });
      await Deno.writeFile(join(staging, `${row}.safetensors`), bytes);
    }
    const about = { ...aboutOf(model, splitHash), rank, people };
    await Deno.writeTextFile(join(staging, FILE), JSON.stringify(about) + "\n");
  });
}

/**
 * Opens what {@link writeUpdates} wrote.
 *
 * @throws {LetheError} the folder is another model's or split's, or a file of it is missing or cut short
 */
export async function openUpdates(
  folder: string,
  model: Model,
  splitHash: string,
): Promise<StoredUpdates> {
  const remedy = "name the folder that train --log-updates wrote beside this model";
  const path = join(folder, FILE);
  const text = await readPlainText(path, { maxBytes: 2 ** 28, remedy });
  const fields = new JsonFields(parseJsonObject(text, path, remedy), path, remedy);
  fields.read("version", is.integer(1, 1));
  const about = aboutOf(model, splitHash);
  for (const name of ["split", "model"] as const) {
    if (fields.read(name, is.HASH) !== about[name]) {
      fields.refuse(`its ${name} is another`, "updates belong to one model on one split");
    }
  }
  const rank = fields.read("rank", is.nullable(is.integer(1, 65_536)));
  const people = fields.read("people", is.list(is.line(4096), 1, 10_000_000));
  fields.end();
  const { config } = model;
  const shapes = thetaShapes(config, config.labels.length);
  // Rows of one rank are of one size: one that was cut short shows without reading them all.
  let size: number | undefined;
  for (const row of people.keys()) {
    const file = join(folder, `${row}.safetensors`);
    const found = await Deno.lstat(file).then((row) => row.size, () => null);
    size ??= found ?? undefined;
    if (found === null || found !== size) {
      throw new LetheError(
        `${file} ${found === null ? "does not exist" : `has ${found} bytes, others ${size}`}`,
        "there is a file of each person's updates, all of one size",
        remedy,
      );
    }
  }
  return {
    rank,
    async step(person) {
      const row = people.indexOf(person);
      if (row < 0) {
        throw new LetheError(`${folder} has no updates of ${person}`, "it logs everybody", remedy);
      }
      const file = join(folder, `${row}.safetensors`);
      const bytes = await readPlainFile(file, { maxBytes: MAX_ROW_BYTES });
      return expandedStep(decodeRow(bytes, shapes, rank, config.dim, file).step, shapes);
    },
  };
}
