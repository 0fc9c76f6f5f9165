import { join } from "@std/path";
import { LetheError } from "../../error.ts";
import { readHashedFile } from "../../files/plain_file.ts";
import { sha256Hex } from "../../files/sha256.ts";
import type { ModelConfig } from "../config.ts";
import { thetaShapes } from "../theta_shapes.ts";
import { kitPart } from "./kit_parts.ts";
import {
  encodeMemoryIndex,
  MEMORY_FOLDER,
  MEMORY_INDEX,
  type MemoryIndex,
  rowFile,
} from "./memory_index.ts";
import { decodeRow, type MemoryRow } from "./memory_row.ts";
import { layerShapes } from "./row_layers.ts";
import { openRow, type RowKey } from "./sealed_row.ts";
import { RESTORE } from "./stored_manifest.ts";

/**
 * Opens the rows of some people and reads no other person's.
 *
 * @param asked keyed hashes of people and the keys of their rows
 * @throws {LetheError} a row is missing, changed, or the key is another's
 */
export async function openRows(
  folder: string,
  { rank, layers, people }: MemoryIndex,
  config: ModelConfig,
  asked: readonly { readonly person: string; readonly key: RowKey }[],
): Promise<MemoryRow[]> {
  const shapes = layerShapes(thetaShapes(config, config.labels.length), layers ?? "all");
  const rows: MemoryRow[] = [];
  for (const { person, key } of asked) {
    const path = join(folder, MEMORY_FOLDER, rowFile(person));
    const { maxBytes } = kitPart(MEMORY_INDEX)!;
    const { bytes, sha256 } = await readHashedFile(path, { maxBytes, remedy: RESTORE });
    const due = people.find((row) => row.person === person)?.sha256;
    if (sha256 !== due) {
      throw new LetheError(
        `${path} has SHA-256 ${sha256}`,
        `memory.json names ${due ?? "no such row"}`,
        RESTORE,
      );
    }
    rows.push(decodeRow(openRow(key, bytes, path), shapes, rank, config.dim, path));
  }
  return rows;
}

/**
 * Writes the next kit's `memory.json`: without the rows of who was forgotten, the others' stale.
 *
 * @param byRows whether they were forgotten by these rows
 * @returns its SHA-256
 */
export async function writeNextMemory(
  path: string,
  index: MemoryIndex,
  leaving: readonly string[],
  byRows: boolean,
): Promise<string> {
  const people = index.people.filter(({ person }) => !leaving.includes(person));
  const forgotten = (index.forgotten ?? 0) + (byRows ? leaving.length : 0);
  const bytes = new TextEncoder().encode(encodeMemoryIndex({
    ...index,
    stale: true,
    people,
    ...(forgotten > 0 ? { forgotten } : {}),
  }));
  await Deno.writeFile(path, bytes, { createNew: true });
  return sha256Hex(bytes);
}
