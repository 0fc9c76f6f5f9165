/**
 * A data set's files and their hashes, packed: some 50 bytes a file, shared between threads without a
 * copy, where strings would take three hundred in each.
 */
export interface FileTable {
  /** What all paths begin with: a folder, as a rule. */
  readonly folder: string;
  /** What follows, one after the other as UTF-8. */
  readonly names: Uint8Array;
  /** Where each ends. */
  readonly ends: Uint32Array;
  /** SHA-256, 32 bytes each. */
  readonly hashes: Uint8Array;
}

const HASH_BYTES = 32;
const DECODER = new TextDecoder();

/** Packs files in their order. @param hashOf hexadecimal */
export function packFiles(
  files: readonly string[],
  hashOf: (file: string) => string,
): FileTable {
  const encoder = new TextEncoder();
  const folder = commonFolder(files);
  const table = tableOf(
    folder,
    files.length,
    files.reduce((sum, file) => sum + encoder.encode(file.slice(folder.length)).length, 0),
  );
  let end = 0;
  files.forEach((file, row) => {
    const name = encoder.encode(file.slice(folder.length));
    table.names.set(name, end);
    table.ends[row] = end += name.length;
    table.hashes.set(Uint8Array.fromHex(hashOf(file)), HASH_BYTES * row);
  });
  return table;
}

/** A table to be filled, in memory that threads share. */
export function tableOf(folder: string, files: number, nameBytes: number): FileTable {
  return {
    folder,
    names: sharedBytes(nameBytes),
    ends: new Uint32Array(new SharedArrayBuffer(4 * files)),
    hashes: sharedBytes(HASH_BYTES * files),
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

function sharedBytes(length: number): Uint8Array {
  return new Uint8Array(new SharedArrayBuffer(length));
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

/** SHA-256 of the file in a row, hexadecimal. */
export function hashAt({ hashes }: FileTable, row: number): string {
  return hashes.subarray(HASH_BYTES * row, HASH_BYTES * (row + 1)).toHex();
}
