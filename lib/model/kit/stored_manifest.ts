import { basename, join } from "@std/path";
import { readPlainFile } from "../../files/plain_file.ts";
import { sha256Hex } from "../../files/sha256.ts";
import { shellWord } from "../../files/shell_word.ts";
import { firstLine, LetheError, UsageError } from "../../error.ts";
import type { KitManifest } from "./kit_manifest.ts";
import { parseKitManifest } from "./parse_kit_manifest.ts";
import { kitPart } from "./kit_parts.ts";

/** A kit's file that names all others. */
export const MANIFEST = "kit.json";
/** What to do about a kit that is not whole. */
export const RESTORE = "restore the kit from a copy, or make it anew with `deno task meta-learn`";
/** Two hashes of 64 digits per person: room for half a million. */
const MAX_MANIFEST_BYTES = 64 * 2 ** 20;

/** `kit.json` as it lies on the disk. */
export interface StoredManifest {
  /** What kit.json says. */
  readonly manifest: KitManifest;
  /** The kit's id, wherever it lies: a hash of all that is in it. */
  readonly id: string;
  /** Of `kit.json` as it lies there. */
  readonly sha256: string;
}

/**
 * Reads a kit's `kit.json` and no other file.
 *
 * @throws {UsageError} there is no kit
 * @throws {LetheError} it is damaged
 */
export async function readManifest(folder: string): Promise<StoredManifest> {
  await listKit(folder); // so that no kit at all is told from a damaged one
  const path = join(folder, MANIFEST);
  const remedy = await nearbyKit(folder) ?? RESTORE;
  const json = await readPlainFile(path, { maxBytes: MAX_MANIFEST_BYTES, remedy });
  return { ...parseKitManifest(utf8(json, path), path), sha256: sha256Hex(json) };
}

/** What is likely meant where this is an output of `unlearn`'s or a model; null where it is a kit. */
async function nearbyKit(folder: string): Promise<string | null> {
  const isThere = (...names: string[]) =>
    Deno.lstat(join(folder, ...names)).then(() => true, () => false);
  if (await isThere(MANIFEST)) return null;
  if (await isThere("kit", MANIFEST)) return `did you mean ${join(folder, "kit")}?`;
  return await isThere("config.json")
    ? "this is a model: name the kit that `deno task meta-learn` made from it"
    : null;
}

/**
 * Holds what lies in a kit against what its manifest names, and what lies in its folders of rows against
 * what the files name that list these.
 *
 * @throws {LetheError} something lies there that nothing names, or such a list is damaged
 */
export async function refuseStrangers(folder: string, manifest: KitManifest): Promise<void> {
  const named = new Set([MANIFEST, ...manifest.files.map(({ file }) => file)]);
  for (const { file } of manifest.files) {
    const rows = kitPart(file)?.rows;
    if (rows === undefined) continue;
    named.add(rows.folder);
    const listed = new Set((await rowsOf(folder, file)).map((row) => row.file));
    const there = await listKit(join(folder, rows.folder)).catch((error) => {
      if (error instanceof UsageError) return []; // its reader says that rows are missing
      throw error;
    });
    const more = there.find((name) => !listed.has(name));
    if (more !== undefined) throw stranger(join(folder, rows.folder, more), file);
  }
  const more = (await listKit(folder)).find((name) => !named.has(name));
  if (more !== undefined) throw stranger(join(folder, more), MANIFEST);
}

function stranger(path: string, list: string): LetheError {
  return new LetheError(
    `${path} is not named in ${list}`,
    "a kit holds what its manifest names and nothing else",
    "take the file out",
  );
}

/**
 * Every file of a kit besides `kit.json` with its hash, rows that a part's own content lists included.
 *
 * @throws {LetheError} such a part is damaged
 */
export async function kitFiles(
  folder: string,
  { files }: KitManifest,
): Promise<{ readonly file: string; readonly sha256: string }[]> {
  const all: { file: string; sha256: string }[] = [];
  for (const { file, sha256 } of files) {
    all.push({ file, sha256 });
    const below = kitPart(file)?.rows?.folder;
    if (below === undefined) continue;
    for (const row of await rowsOf(folder, file)) {
      all.push({ ...row, file: `${below}/${row.file}` });
    }
  }
  return all;
}

/** The rows that one of a kit's files lists. */
async function rowsOf(folder: string, file: string) {
  const { maxBytes, rows } = kitPart(file)!;
  const path = join(folder, file);
  return rows!.list(await readPlainFile(path, { maxBytes, remedy: RESTORE }), path);
}

/** Text of a kit's JSON file. @throws {LetheError} it is not UTF-8 */
export function utf8(bytes: Uint8Array, path: string): string {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch (cause) {
    throw new LetheError(`${path} is not UTF-8 text`, "it is JSON", RESTORE, { cause });
  }
}

async function listKit(folder: string): Promise<string[]> {
  try {
    const names: string[] = [];
    for await (const { name } of Deno.readDir(folder)) names.push(name);
    return names;
  } catch (cause) {
    if (cause instanceof Deno.errors.NotFound || cause instanceof Deno.errors.NotADirectory) {
      throw new UsageError(
        `there is no kit ${folder}`,
        "unlearning needs the kit that meta-learn wrote",
        `name it with --kit, or make it with deno task meta-learn --out ${
          shellWord(basename(folder))
        }`,
        { cause },
      );
    }
    const why = firstLine(cause);
    throw new LetheError(
      `${folder} cannot be listed (${why})`,
      "a kit is a folder that this user and process may read",
      "mend its rights or the permissions granted",
      { cause },
    );
  }
}
