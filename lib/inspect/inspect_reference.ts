import { join } from "@std/path";
import { JsonFields, parseJsonObject } from "../files/json_fields.ts";
import * as is from "../files/json_kinds.ts";
import { readPlainText } from "../files/plain_file.ts";
import { foldsPath } from "../run/memory/folds_file.ts";
import { facts } from "./known_files.ts";
import type { Inspected } from "./inspected.ts";

const MAX_BYTES = 2 ** 28;
const REMEDY = "restore it, or make the folder anew";

/** Models that were trained without a fold of the people each. @throws {LetheError} folds.json is damaged */
export async function inspectFolds(path: string, names: readonly string[]): Promise<Inspected> {
  const fields = await read(foldsPath(path));
  const count = fields.read("folds", is.integer(2, 1000));
  const sets = fields.read("sets", is.list(is.list(is.integer(0, count - 1), 0, 1e7), 1, 16));
  const made = names.filter((name) => /^set\d+_fold\d+$/.test(name)).length;
  return facts(
    "fold models",
    path,
    "models trained without a fold of the people each, as references of memory",
    "unlearn-with-data --fold-models and the same meta-learn command read it; no request needs it; " +
      "delete it with the data set",
    { people: sets[0].length, folds: count, partitions: sets.length, "models made": made },
  );
}

/** What training logged of each person. @throws {LetheError} updates.json is damaged */
export async function inspectUpdates(path: string): Promise<Inspected> {
  const fields = await read(join(path, "updates.json"));
  const rank = fields.read("rank", is.nullable(is.integer(1, 65_536)));
  const people = fields.read("people", is.list(is.line(4096), 0, 1e7));
  return facts(
    "stored updates",
    path,
    "what train --log-updates logged of what each person's images did to the weights",
    "meta-learn --memory .. --stored-updates reads it; it names people: as private as the data set",
    { people: people.length, rank: rank ?? "full" },
  );
}

async function read(path: string): Promise<JsonFields> {
  const text = await readPlainText(path, { maxBytes: MAX_BYTES, remedy: REMEDY });
  return new JsonFields(parseJsonObject(text, path, REMEDY), path, REMEDY);
}
