import { join } from "@std/path";
import { createHash } from "node:crypto";
import { pieceFor } from "../../files/sha256.ts";
import { noteRead, openPlainFile } from "../../files/plain_file.ts";
import { MAX_WEIGHT_BYTES } from "../../model/checkpoint.ts";
import type { Digest, FileDigest } from "../receipt/receipt.ts";

/** Hashes a plain file. @throws {LetheError} it is missing, a link or no plain file */
export async function digestFile(path: string): Promise<Digest> {
  const file = await openPlainFile(path, { maxBytes: MAX_WEIGHT_BYTES });
  try {
    const hash = createHash("sha256");
    const piece = pieceFor(file.size);
    for (let count; (count = await file.read(piece)) > 0;) hash.update(piece.subarray(0, count));
    await file.end();
    const sha256 = hash.digest("hex");
    noteRead(path, sha256, file.size);
    return { sha256, bytes: file.size };
  } finally {
    file.close();
  }
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
