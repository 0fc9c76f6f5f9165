import { join } from "@std/path";
import { LetheError } from "../../error.ts";
import { readHashedFile } from "../../files/plain_file.ts";
import type { KitManifest } from "./kit_manifest.ts";
import { kitPart } from "./kit_parts.ts";
import { MEMORY_INDEX, type MemoryIndex, parseMemoryIndex } from "./memory_index.ts";
import { RESTORE, utf8 } from "./stored_manifest.ts";

// The launcher reads the index too, and loads nothing that computes.

/** Whether a kit remembers people. */
export function remembers({ files }: Pick<KitManifest, "files">): boolean {
  return files.some(({ file }) => file === MEMORY_INDEX);
}

/** A kit's `memory.json`; undefined where it has none. @throws {LetheError} it is damaged */
export async function readMemoryIndex(
  folder: string,
  { files }: Pick<KitManifest, "files">,
): Promise<MemoryIndex | undefined> {
  const due = files.find(({ file }) => file === MEMORY_INDEX)?.sha256;
  if (due === undefined) return undefined;
  const path = join(folder, MEMORY_INDEX);
  const { maxBytes } = kitPart(MEMORY_INDEX)!;
  const { bytes, sha256 } = await readHashedFile(path, { maxBytes, remedy: RESTORE });
  if (sha256 === due) return parseMemoryIndex(utf8(bytes, path), path);
  throw new LetheError(`${path} has SHA-256 ${sha256}`, `kit.json names ${due}`, RESTORE);
}
