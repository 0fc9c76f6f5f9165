import { join } from "@std/path";
import { readPlainFile } from "../../files/plain_file.ts";
import { sha256Hex } from "../../files/sha256.ts";
import { MAX_WEIGHT_BYTES } from "../../model/checkpoint.ts";
import type { Digest, FileDigest } from "../receipt/receipt.ts";

/** Hashes a plain file. @throws {LetheError} it is missing, a link or no plain file */
export async function digestFile(path: string): Promise<Digest> {
  const bytes = await readPlainFile(path, { maxBytes: MAX_WEIGHT_BYTES });
  return { sha256: sha256Hex(bytes), bytes: bytes.length };
}

/** Paths below a folder, with `/` between names, sorted; links are listed, never followed. */
export async function listTree(folder: string): Promise<string[]> {
  const paths: string[] = [];
  for await (const { name, isDirectory } of Deno.readDir(folder)) {
    if (!isDirectory) paths.push(name);
    else for (const path of await listTree(join(folder, name))) paths.push(`${name}/${path}`);
  }
  return paths.sort();
}

/** Hashes files of a folder. @throws {LetheError} one is no plain file */
export async function digestFiles(
  folder: string,
  files: readonly string[],
): Promise<FileDigest[]> {
  const digests: FileDigest[] = [];
  for (const file of files) digests.push({ file, ...await digestFile(join(folder, file)) });
  return digests;
}
