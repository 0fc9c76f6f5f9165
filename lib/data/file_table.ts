/**
 * Names of a data set's files, packed: some 14 bytes each, shared between threads without a copy, where
 * strings would take a hundred in each.
 */
export interface FileTable {
  /** What all paths begin with: a folder, as a rule. */
  readonly folder: string;
  /** What follows, one after the other as UTF-8. */
  readonly names: Uint8Array;
  /** Where each ends. */
  readonly ends: Uint32Array;
}

const [ENCODER, DECODER] = [new TextEncoder(), new TextDecoder()];

/** Packs files in their order. @param below the folder that they are relative to, with its slash */
export function packFiles(files: readonly string[], below = ""): FileTable {
  const folder = commonFolder(files);
  const table = tableOf(
    below + folder,
    files.length,
    files.reduce((sum, file) => sum + byteLength(file, folder.length), 0),
  );
  let end = 0;
  files.forEach((file, row) => {
    end = write(file, folder.length, table.names, end);
    table.ends[row] = end;
  });
  return table;
}

/** Bytes of what follows in a path. Names are mostly ASCII, and asking the encoder takes long. */
function byteLength(file: string, from: number): number {
  for (let i = from; i < file.length; i++) {
    if (file.charCodeAt(i) > 0x7f) return ENCODER.encode(file.slice(from)).length;
  }
  return file.length - from;
}

/** Writes what follows in a path. @returns where it ends */
function write(file: string, from: number, names: Uint8Array, at: number): number {
  for (let i = from; i < file.length; i++) {
    const unit = file.charCodeAt(i);
    if (unit > 0x7f) {
      const rest = ENCODER.encode(file.slice(i));
      names.set(rest, at);
      return at + rest.length;
    }
    names[at++] = unit;
  }
  return at;
}

/** A table to be filled, in memory that threads share. */
export function tableOf(folder: string, files: number, nameBytes: number): FileTable {
  return {
    folder,
    names: new Uint8Array(new SharedArrayBuffer(nameBytes)),
    ends: new Uint32Array(new SharedArrayBuffer(4 * files)),
  };
}

/** The folder that all lie in, with its slash; or nothing. */
function commonFolder(files: readonly string[]): string {
  const [first = ""] = files;
  let folder = first.slice(0, first.lastIndexOf("/") + 1);
  for (const file of files) {
    while (!file.startsWith(folder)) {
      folder = folder.slice(0, folder.lastIndexOf("/", folder.length - 2) + 1);
    }
  }
  return folder;
}

/** How many files there are. */
export function fileCount({ ends }: FileTable): number {
  return ends.length;
}

/** The path in a row. */
export function fileAt({ folder, names, ends }: FileTable, row: number): string {
  // A copy: TextDecoder refuses shared memory.
  return folder + DECODER.decode(names.slice(row === 0 ? 0 : ends[row - 1], ends[row]));
}

/**
 * The row of a path in a table that is sorted (as JavaScript compares strings); -1 where it has none.
 *
 * @param likely where it is looked for first
 */
export function rowOf(table: FileTable, file: string, likely = 0): number {
  if (likely < fileCount(table) && fileAt(table, likely) === file) return likely;
  let [low, high] = [0, fileCount(table)];
  while (low < high) {
    const middle = (low + high) >> 1;
    const found = fileAt(table, middle);
    if (found === file) return middle;
    if (found < file) low = middle + 1;
    else high = middle;
  }
  return -1;
}

/** Whether two tables name the same files in the same order. */
export function sameFiles(one: FileTable, other: FileTable): boolean {
  // Of the same files the common folder is the same, and so is the rest.
  return one.folder === other.folder && sameNumbers(one.ends, other.ends) &&
    sameNumbers(one.names, other.names);
}

function sameNumbers<T extends Uint8Array | Uint32Array>(one: T, other: T): boolean {
  if (one.length !== other.length) return false;
  for (let i = 0; i < one.length; i++) if (one[i] !== other[i]) return false;
  return true;
}
