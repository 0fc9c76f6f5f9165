import { join, relative } from "@std/path";
import { createHash } from "node:crypto";
import { sha256File } from "../files/sha256.ts";
import { writeWhole } from "../files/write_whole.ts";
import { HASH_BYTES, type HashedFiles, identityOf, openHashes } from "./file_hashes.ts";
import { fileAt, fileCount, tableOf } from "./file_table.ts";
import { type FolderState, folderState, isUnchanged } from "./folder_state.ts";
import { columnsOf, packedSamples } from "./packed_samples.ts";
import type { Dataset } from "./sample.ts";
import type { Split } from "./split.ts";
import { targetBytes, TargetTable } from "./target_table.ts";

/** A split and its data set as an index holds them. */
export interface IndexedSplit {
  readonly split: Split;
  readonly dataset: Dataset;
  /** SHA-256 of the split's content. */
  readonly sha256: string;
  /** In the order of the data set's samples. */
  readonly files: HashedFiles;
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

/** What is in an index. */
export interface IndexContent {
  readonly split: Omit<Split, "hashes">;
  /** SHA-256 of the split's content, and of its file. */
  readonly sha256: string;
  readonly file: string;
  readonly dataset: Dataset;
  /** SHA-256 of each sample's file, 32 bytes. */
  readonly hashes: Uint8Array;
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
  { split, sha256, file, dataset: { root: inner, samples, ...dataset }, hashes }: IndexContent,
): Promise<void> {
  const { table, owners, targets, people } = columnsOf(
    samples,
    dataset.task,
    dataset.labels.length,
  );
  const header: Header = {
    ...{ version: 2, file, sha256, state: await folderState(root), split, dataset },
    ...{ below: relative(root, inner), people, rows: samples.length },
    ...{ folder: table.folder, nameBytes: table.names.length },
  };
  const text = new TextEncoder().encode(JSON.stringify(header));
  const length = new Uint8Array(4);
  new DataView(length.buffer).setUint32(0, text.length, true);
  const columns = [table.names, table.ends, hashes, owners, targets.bytes].map(bytesOf);
  const parts = [length, text, ...columns];
  const hash = createHash("sha256");
  for (const part of parts) hash.update(part);
  await writeWhole(indexPath(path), [MAGIC, hash.digest(), ...parts]);
}

/**
 * Opens a split by its index, where there is one that belongs to the split's file and to what the data
 * set's folder holds now, by their hashes.
 *
 * @returns null where there is none, where it is damaged, or where anything has changed
 */
export async function readSplitIndex(path: string, root: string): Promise<IndexedSplit | null> {
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
    const { rows, folder, nameBytes, dataset } = header;
    const width = targetBytes(dataset.task, dataset.labels.length);
    if (nameBytes + rows * (4 + HASH_BYTES + 4 + width) !== file.left) return null;
    const table = tableOf(folder, rows, nameBytes);
    for (const column of [table.names, table.ends]) file.into(bytesOf(column));
    // They are read one by one when an image is.
    const hashes = {
      ...{ path: indexPath(path), begin: file.at, identity: file.identity },
      ...{ from: BEGIN, sha256: begin.subarray(MAGIC.length).toHex() },
    };
    file.pass(HASH_BYTES * rows);
    const [owners, targets] = [new Uint32Array(rows), new Uint8Array(rows * width)];
    for (const column of [owners, targets]) file.into(bytesOf(column));
    if (file.sha256() !== hashes.sha256) return null;
    if (!await isUnchanged(root, header.state)) return null;
    return opened(header, { table, hashes }, owners, targets, root);
  } catch {
    return null;
  }
}

/** Reads a file piece by piece, and hashes it: whole, it would lie beside the columns made of it. */
function openHashed(path: string) {
  const file = Deno.openSync(path, { read: true });
  const hash = createHash("sha256");
  const piece = new Uint8Array(2 ** 16);
  const identity = identityOf(file.statSync());
  let left = identity.size;
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
    /** Bytes that were read. */
    get at() {
      return identity.size - left;
    },
    identity,
    into,
    /** Hashes bytes that are not kept. */
    pass(length: number): void {
      const bytes = new Uint8Array(piece.length);
      for (let rest = length; rest > 0; rest -= bytes.length) into(bytes.subarray(0, rest));
    },
    next(length: number, hashed = true): Uint8Array<ArrayBuffer> {
      const bytes = new Uint8Array(length);
      into(bytes, hashed);
      return bytes;
    },
    sha256: () => hash.digest("hex"),
    [Symbol.dispose]: () => file.close(),
  };
}

function opened(
  header: Header,
  files: HashedFiles,
  owners: Uint32Array,
  targets: Uint8Array,
  root: string,
): IndexedSplit {
  const { people, dataset: { task, labels } } = header;
  const { table } = files;
  const samples = packedSamples({
    ...{ table, owners, people },
    targets: new TargetTable(task, labels.length, targets),
  });
  return {
    split: withHashes(header.split, files),
    dataset: { ...header.dataset, root: join(root, header.below), samples },
    sha256: header.sha256,
    files,
  };
}

/** A split whose hashes are an object for whoever asks for them by name; loaders take the columns. */
export function withHashes(split: Omit<Split, "hashes">, { table, hashes }: HashedFiles): Split {
  let object: Split["hashes"] | undefined;
  const read = () => {
    using reader = openHashes(hashes);
    return Object.fromEntries(
      Array.from({ length: fileCount(table) }, (_, row) => [fileAt(table, row), reader.at(row)]),
    );
  };
  return {
    ...split,
    get hashes() {
      return object ??= read();
    },
  };
}

function bytesOf({ buffer, byteOffset, byteLength }: Uint8Array | Uint32Array): Uint8Array {
  return new Uint8Array(buffer, byteOffset, byteLength);
}
