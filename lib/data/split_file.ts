import { createHash, type Hash } from "node:crypto";
import { LetheError } from "../error.ts";
import { readPlainText } from "../files/plain_file.ts";
import { checkedRelativePath } from "../files/relative_path.ts";
import { DATASET_NAMES } from "./sample.ts";
import { IDENTITY_PARTS, type Split } from "./split.ts";
import { writeWhole } from "../files/write_whole.ts";

/** What is read of a split's file at most, and what to do where it is missing. */
export const SPLIT_FILE = {
  maxBytes: 256 * 2 ** 20,
  remedy: "make one with `deno task split`",
};

/**
 * Writes a split as JSON.
 *
 * @throws {LetheError} when the file cannot be written
 */
export function writeSplit(path: string, split: Split): Promise<void> {
  return writeWhole(path, JSON.stringify(split, null, 2) + "\n");
}

/**
 * Reads a split and checks every field of it.
 *
 * @throws {LetheError} when the file is missing or is no split, naming the field
 */
export async function readSplit(path: string): Promise<Split> {
  const text = await readPlainText(path, SPLIT_FILE);
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw new LetheError(
      `${path} is not JSON`,
      "a split is a JSON file",
      "make it again with `deno task split`",
      { cause },
    );
  }
  return checkedSplit(value, path);
}

/**
 * SHA-256 of a split's content: of its JSON without white space, which is hashed piece by piece, since
 * that of a large data set takes as much room as the file.
 */
export function splitHash(split: Split): string {
  const hash = createHash("sha256");
  Object.entries(split).forEach(([name, value], i) => {
    hash.update(`${i === 0 ? "{" : ","}${JSON.stringify(name)}:`);
    if (name !== "hashes") return void hash.update(JSON.stringify(value));
    const members = hashMembers(hash);
    for (const file in split.hashes) members.add(file, split.hashes[file]);
    members.end();
  });
  hash.update("}");
  return hash.digest("hex");
}

/** Characters that are hashed at a time. */
const PIECE = 2 ** 16;

/** Adds an object of files' hashes to the JSON that is hashed, member by member. */
export function hashMembers(hash: Pick<Hash, "update">) {
  let [text, separator] = ["{", ""];
  return {
    add(file: string, sha256: string): void {
      text += `${separator}${JSON.stringify(file)}:${JSON.stringify(sha256)}`;
      separator = ",";
      if (text.length < PIECE) return;
      hash.update(text);
      text = "";
    },
    end: () => void hash.update(`${text}}`),
  };
}

/**
 * Checks that `value` is a split; the type follows from the checks, field by field.
 *
 * @param path for errors
 * @param hasHash whether a file has a hash, where the hashes are not the value's own
 * @throws {LetheError} the field that is wrong
 */
export function checkedSplit(
  value: unknown,
  path: string,
  hasHash?: (file: string) => boolean,
): Split {
  const demand: Demand = (valid, field, rule) => {
    if (valid) return;
    throw new LetheError(
      `${path}: the field ${field} is missing or wrong`,
      rule,
      "make the split again with `deno task split`",
    );
  };
  const split = value as Split; // believed only as far as checked below
  demand(isObject(split), "(all)", "a split is a JSON object");
  demand(split.version === 1, "version", "this Lethe reads version 1");
  checkDataset(split, demand);
  demand(Number.isSafeInteger(split.seed), "seed", "it is a whole number");
  checkIdentities(split, demand);
  checkFiles(split, demand, path, hasHash ?? ((file) => Object.hasOwn(split.hashes, file)));
  return split;
}

type Demand = (valid: boolean, field: string, rule: string) => void;

function checkDataset({ dataset }: Split, demand: Demand): void {
  demand(isObject(dataset), "dataset", "it is an object");
  demand(
    DATASET_NAMES.includes(dataset.name),
    "dataset.name",
    `it is one of ${DATASET_NAMES.join(", ")}`,
  );
  const tasks = ["multi-label", "classes"];
  demand(tasks.includes(dataset.task), "dataset.task", `it is ${tasks.join(" or ")}`);
  demand(
    isNames(dataset.labels) && dataset.labels.length > 0,
    "dataset.labels",
    "it lists label names, none twice",
  );
}

function checkIdentities({ identities, forgetCount }: Split, demand: Demand): void {
  demand(isObject(identities), "identities", "it is an object");
  for (const part of IDENTITY_PARTS) {
    const people = identities[part];
    demand(isNames(people) && people.length > 0, `identities.${part}`, "it lists people");
  }
  const everybody = IDENTITY_PARTS.flatMap((part) => identities[part]);
  demand(isNames(everybody), "identities", "nobody is in two parts");
  demand(forgetCount === identities.forget.length, "forgetCount", "it counts identities.forget");
}

function checkFiles(
  { support, hashes, identities }: Split,
  demand: Demand,
  path: string,
  hasHash: (file: string) => boolean,
): void {
  demand(isObject(hashes), "hashes", "it is an object");
  for (const [file, hash] of Object.entries(hashes)) {
    checkedRelativePath(file, `${path}: the field hashes`);
    const isHash = typeof hash === "string" && /^[0-9a-f]{64}$/.test(hash);
    demand(isHash, `hashes[${JSON.stringify(file)}]`, "it is a SHA-256");
  }
  demand(isObject(support), "support", "it is an object");
  const people = Object.keys(support);
  const complete = people.length === identities.forget.length &&
    identities.forget.every((identity) => Object.hasOwn(support, identity));
  demand(complete, "support", "it has one image per identity to forget");
  for (const [identity, file] of Object.entries(support)) {
    const known = typeof file === "string" && hasHash(file);
    demand(known, `support[${JSON.stringify(identity)}]`, "it is a file of hashes");
  }
  demand(isNames(Object.values(support)), "support", "no image supports two identities");
}

function isObject(value: unknown): boolean {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** A list of strings, none empty, none twice. */
function isNames(value: unknown): boolean {
  return Array.isArray(value) && value.every((name) => typeof name === "string" && name !== "") &&
    new Set(value).size === value.length;
}
