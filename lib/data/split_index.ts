import { join, relative } from "@std/path";
import { sha256File, sha256Hex } from "../files/sha256.ts";
import { writeWhole } from "../files/write_whole.ts";
import { fileAt, type FileTable, hashAt, packFiles, sharedBytes } from "./file_table.ts";
import { type FolderState, folderState, isUnchanged } from "./folder_state.ts";
import type { Dataset, Sample } from "./sample.ts";
import type { Split } from "./split.ts";

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
  readonly version: 1;
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
  readonly nameBytes: number;
  /** Numbers of a sample's targets. */
  readonly width: number;
}

const MAGIC = new TextEncoder().encode("lethe split index 1\n");
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
  /** [samples, width] */
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
  sha256 = sha256Hex(new TextEncoder().encode(JSON.stringify(split))),
): Promise<void> {
  const table = packFiles(samples.map(({ file }) => file), (file) => split.hashes[file]);
  const rows = new Map<string, number>();
  const owners = Uint32Array.from(samples, ({ identity }) => {
    const row = rows.get(identity) ?? rows.size;
    rows.set(identity, row);
    return row;
  });
  const width = dataset.task === "classes" ? 1 : dataset.labels.length;
  const targets = new Uint8Array(samples.length * width);
  for (const [row, sample] of samples.entries()) {
    if (sample.targets.some((value) => value > 255)) return; // more classes than a byte counts
    targets.set(sample.targets, row * width);
  }
  const parts = columnBytes({ table, owners, targets });
  const body = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  parts.reduce((at, part) => (body.set(part, at), at + part.length), 0);
  const { hashes: _, ...rest } = split;
  const header: Header = {
    version: 1,
    file: sha256File(path),
    sha256,
    state: folderState(root),
    split: rest,
    dataset,
    below: relative(root, inner),
    people: [...rows.keys()],
    rows: samples.length,
    nameBytes: table.names.length,
    width,
  };
  const text = new TextEncoder().encode(JSON.stringify(header));
  const bytes = new Uint8Array(BEGIN + 4 + text.length + body.length);
  new DataView(bytes.buffer).setUint32(BEGIN, text.length, true);
  bytes.set(text, BEGIN + 4);
  bytes.set(body, BEGIN + 4 + text.length);
  bytes.set(MAGIC);
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
    const bytes = Deno.readFileSync(indexPath(path));
    if (MAGIC.some((byte, i) => bytes[i] !== byte)) return null;
    if (bytes.subarray(MAGIC.length, BEGIN).toHex() !== sha256Hex(bytes.subarray(BEGIN))) {
      return null;
    }
    const length = new DataView(bytes.buffer, bytes.byteOffset).getUint32(BEGIN, true);
    const text = bytes.subarray(BEGIN + 4, BEGIN + 4 + length);
    const header: Header = JSON.parse(new TextDecoder().decode(text));
    const fits = header.version === 1 && header.file === sha256File(path) &&
      isUnchanged(root, header.state);
    return fits ? opened(header, bytes.subarray(BEGIN + 4 + length), root) : null;
  } catch {
    return null;
  }
}

function opened(header: Header, body: Uint8Array, root: string): IndexedSplit {
  const { rows, nameBytes, width, people } = header;
  const columns: Columns = {
    table: {
      names: sharedBytes(nameBytes),
      ends: new Uint32Array(new SharedArrayBuffer(4 * rows)),
      hashes: sharedBytes(32 * rows),
    },
    owners: new Uint32Array(rows),
    targets: new Uint8Array(rows * width),
  };
  let at = 0;
  for (const part of columnBytes(columns)) {
    part.set(body.subarray(at, at + part.length));
    at += part.length;
  }
  const { table, owners, targets } = columns;
  const named = { table, owners, targets, people, width };
  const samples = Array.from({ length: rows }, (_, row) => new PackedSample(row, named));
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

interface SampleColumns extends Columns {
  readonly people: readonly string[];
  readonly width: number;
}

/** A row of an index as a sample. */
class PackedSample implements Sample {
  readonly row: number;
  // One object for all samples: there are hundreds of thousands.
  readonly #columns: SampleColumns;

  constructor(row: number, columns: SampleColumns) {
    this.row = row;
    this.#columns = columns;
  }

  get file(): string {
    return fileAt(this.#columns.table, this.row);
  }

  get identity(): string {
    return this.#columns.people[this.#columns.owners[this.row]];
  }

  get targets(): number[] {
    return [...this.packedTargets];
  }

  get packedTargets(): Uint8Array {
    const { targets, width } = this.#columns;
    return targets.subarray(this.row * width, (this.row + 1) * width);
  }
}
