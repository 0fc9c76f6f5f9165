import { join, relative } from "@std/path";
import { createHash } from "node:crypto";
import { sha256File, sha256Hex } from "../files/sha256.ts";
import { writeWhole } from "../files/write_whole.ts";
import { fileAt, type FileTable, hashAt, packFiles, tableOf } from "./file_table.ts";
import { type FolderState, folderState, isUnchanged } from "./folder_state.ts";
import { packedSamples } from "./packed_samples.ts";
import type { Dataset } from "./sample.ts";
import type { Split } from "./split.ts";
import { splitHash } from "./split_file.ts";
import { targetBytes, TargetTable } from "./target_table.ts";

/** A split and its data set as an index holds them. */
export interface IndexedSplit {
  readonly split: Split;
  readonly dataset: Dataset;
  /** SHA-256 of the split's content. */
  readonly sha256: string;
  /** In the order of the data set's samples. */
  readonly table: FileTable;
}

interface Header {
  readonly version: 2;
  /** SHA-256 of the split's file, and of the split's content. */
  readonly file: string;
  readonly sha256: string;
  /** Of the data set's folder. */
  readonly state: FolderState;
  readonly split: Omit<Split, "hashes">;
  readonly dataset: Omit<Dataset, "root" | "samples">;
  /** The layout's folder, below the one that was named. */
  readonly below: string;
  readonly people: readonly string[];
  readonly rows: number;
  /** Of the table of files. */
  readonly folder: string;
  readonly nameBytes: number;
}

const MAGIC = new TextEncoder().encode("lethe split index 2\n");
/** After it and the SHA-256 of the rest: the header's length, the header, the columns. */
const BEGIN = MAGIC.length + 32;

/** Where a split's index lies. */
export function indexPath(splitPath: string): string {
  return `${splitPath}.index`;
}

/** The numbers of an index, which its file holds one after the other. */
interface Columns {
  readonly table: FileTable;
  /** Of each sample, the place of its identity among the people. */
  readonly owners: Uint32Array;
  /** A {@link TargetTable}'s. */
  readonly targets: Uint8Array;
}

/**
 * Writes the index of a split that has just been opened, so that the next command parses neither split
 * nor label files. It holds what both say, and is as private as they are.
 *
 * @param path the split's file, which lies there
 * @param root the data set's folder as it was named
 * @throws LetheError it cannot be written; commands do without it
 */
export async function writeSplitIndex(
  path: string,
  root: string,
  split: Split,
  { root: inner, samples, ...dataset }: Dataset,
  sha256 = splitHash(split),
): Promise<void> {
  const table = packFiles(samples.map(({ file }) => file), (file) => split.hashes[file]);
  const rows = new Map<string, number>();
  const owners = Uint32Array.from(samples, ({ identity }) => {
    const row = rows.get(identity) ?? rows.size;
    rows.set(identity, row);
    return row;
  });
  const targets = new TargetTable(dataset.task, dataset.labels.length);
  for (const sample of samples) targets.add(sample.targets);
  const { hashes: _, ...rest } = split;
  const header: Header = {
    version: 2,
    file: sha256File(path),
    sha256,
    state: folderState(root),
    split: rest,
    dataset,
    below: relative(root, inner),
    people: [...rows.keys()],
    rows: samples.length,
    folder: table.folder,
    nameBytes: table.names.length,
  };
  const text = new TextEncoder().encode(JSON.stringify(header));
  const parts = [text, ...columnBytes({ table, owners, targets: targets.bytes })];
  const size = parts.reduce((sum, { length }) => sum + length, BEGIN + 4);
  const bytes = new Uint8Array(size);
  bytes.set(MAGIC);
  new DataView(bytes.buffer).setUint32(BEGIN, text.length, true);
  parts.reduce((at, part) => (bytes.set(part, at), at + part.length), BEGIN + 4);
  bytes.set(Uint8Array.fromHex(sha256Hex(bytes.subarray(BEGIN))), MAGIC.length);
  await writeWhole(indexPath(path), bytes);
}

/**
 * Opens a split by its index, where there is one that belongs to the split's file and to what the data
 * set's folder holds now, by their hashes.
 *
 * @returns null where there is none, where it is damaged, or where anything has changed
 */
export function readSplitIndex(path: string, root: string): IndexedSplit | null {
  try {
    // Whatever is no plain file is left to whoever parses it, and says what is wrong.
    if (![path, indexPath(path)].every((file) => Deno.lstatSync(file).isFile)) return null;
    using file = openHashed(indexPath(path));
    const begin = file.next(BEGIN, false);
    if (MAGIC.some((byte, i) => begin[i] !== byte)) return null;
    const length = new DataView(file.next(4).buffer).getUint32(0, true);
    if (length > file.left) return null;
    const header: Header = JSON.parse(new TextDecoder().decode(file.next(length)));
    if (header.version !== 2 || header.file !== sha256File(path)) return null;
    if (bytesOf(header) !== file.left) return null;
    const columns = columnsOf(header);
    for (const part of columnBytes(columns)) file.into(part);
    if (file.sha256() !== begin.subarray(MAGIC.length).toHex()) return null;
    return isUnchanged(root, header.state) ? opened(header, columns, root) : null;
  } catch {
    return null;
  }
}

/** Reads a file piece by piece, and hashes it: whole, it would lie beside the columns made of it. */
function openHashed(path: string) {
  const file = Deno.openSync(path, { read: true });
  const hash = createHash("sha256");
  const piece = new Uint8Array(2 ** 16);
  let left = file.statSync().size;
  const into = (to: Uint8Array, hashed = true) => {
    for (let at = 0; at < to.length;) {
      const read = file.readSync(piece.subarray(0, Math.min(piece.length, to.length - at)));
      if (read === null) throw new RangeError("the file ends early");
      const bytes = piece.subarray(0, read);
      if (hashed) hash.update(bytes);
      to.set(bytes, at);
      at += read;
      left -= read;
    }
  };
  return {
    get left() {
      return left;
    },
    into,
    next(length: number, hashed = true): Uint8Array<ArrayBuffer> {
      const bytes = new Uint8Array(length);
      into(bytes, hashed);
      return bytes;
    },
    sha256: () => hash.digest("hex"),
    [Symbol.dispose]: () => file.close(),
  };
}

/** Bytes of the columns; a damaged header's are not those of the file. */
function bytesOf({ rows, nameBytes, dataset }: Header): number {
  return nameBytes + rows * (4 + 32 + 4 + targetBytes(dataset.task, dataset.labels.length));
}

/** Columns of the header's sizes, to be filled. */
function columnsOf({ rows, folder, nameBytes, dataset }: Header): Columns {
  return {
    table: tableOf(folder, rows, nameBytes),
    owners: new Uint32Array(rows),
    targets: new Uint8Array(rows * targetBytes(dataset.task, dataset.labels.length)),
  };
}

function opened(header: Header, columns: Columns, root: string): IndexedSplit {
  const { rows, people, dataset } = header;
  const { table, owners } = columns;
  const targets = new TargetTable(dataset.task, dataset.labels.length, columns.targets);
  const samples = packedSamples({ table, owners, targets, people });
  // Whoever asks for them by name gets them so; loaders take them from the table.
  let hashes: Readonly<Record<string, string>> | undefined;
  const split = {
    ...header.split,
    get hashes() {
      return hashes ??= Object.fromEntries(
        Array.from({ length: rows }, (_, row) => [fileAt(table, row), hashAt(table, row)]),
      );
    },
  };
  return {
    split,
    dataset: { ...header.dataset, root: join(root, header.below), samples },
    sha256: header.sha256,
    table,
  };
}

/** Views of the columns' bytes, in the order of the file. */
function columnBytes({ table, owners, targets }: Columns): Uint8Array[] {
  return [table.names, table.ends, table.hashes, owners, targets].map((column) =>
    new Uint8Array(column.buffer, column.byteOffset, column.byteLength)
  );
}
