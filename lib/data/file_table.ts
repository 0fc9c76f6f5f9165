/**
 * A data set's files and their hashes, packed: some 60 bytes a file, shared between threads without a
 * copy, where strings would take three hundred in each.
 */
export interface FileTable {
  /** Paths, one after the other as UTF-8. */
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
  const ends = new Uint32Array(new SharedArrayBuffer(4 * files.length));
  const encoded = files.map((file) => encoder.encode(file));
  encoded.reduce((end, name, row) => ends[row] = end + name.length, 0);
  const names = sharedBytes(ends.at(-1) ?? 0);
  const hashes = sharedBytes(HASH_BYTES * files.length);
  files.forEach((file, row) => {
    names.set(encoded[row], ends[row] - encoded[row].length);
    hashes.set(Uint8Array.fromHex(hashOf(file)), HASH_BYTES * row);
  });
  return { names, ends, hashes };
}

/** Bytes that threads share. */
export function sharedBytes(length: number): Uint8Array {
  return new Uint8Array(new SharedArrayBuffer(length));
}

/** How many files there are. */
export function fileCount({ ends }: FileTable): number {
  return ends.length;
}

/** The path in a row. */
export function fileAt({ names, ends }: FileTable, row: number): string {
  // A copy: TextDecoder refuses shared memory.
  return DECODER.decode(names.slice(row === 0 ? 0 : ends[row - 1], ends[row]));
}

/** SHA-256 of the file in a row, hexadecimal. */
export function hashAt({ hashes }: FileTable, row: number): string {
  return hashes.subarray(HASH_BYTES * row, HASH_BYTES * (row + 1)).toHex();
}
