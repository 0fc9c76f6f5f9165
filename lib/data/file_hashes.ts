import { LetheError } from "../error.ts";
import { contentHash } from "../files/sha256.ts";
import type { FileTable } from "./file_table.ts";
import type { Samples } from "./sample.ts";

/** Bytes of a SHA-256. */
export const HASH_BYTES = 32;

/**
 * SHA-256 of a table's files, 32 bytes each: in memory, or where they lie in a file. Those of a large data
 * set are its index's largest part, and asked for one by one.
 */
export type FileHashes = Uint8Array | {
  readonly path: string;
  /** Where the first one begins. */
  readonly begin: number;
  /** The file that was checked, and the SHA-256 of its content but for the first `from` bytes. */
  readonly identity: FileIdentity;
  readonly from: number;
  readonly sha256: string;
};

/** Files of a data set, and their hashes. */
export interface HashedFiles {
  readonly table: FileTable;
  readonly hashes: FileHashes;
}

/** By what a file is known again when it is opened once more. */
export type FileIdentity = Pick<Deno.FileInfo, "dev" | "ino" | "size"> & {
  /** Of its last change, ms. */
  readonly changed: number | undefined;
};

/** Gives hashes row by row. */
export interface HashReader extends Disposable {
  /** SHA-256 of the file in a row, hexadecimal. */
  at(row: number): string;
}

/** The hashes of a data set's files in their order, of their hexadecimal form by file. */
export function packHashes(
  samples: Samples,
  hashes: Readonly<Record<string, string>>,
): Uint8Array {
  const packed = new Uint8Array(HASH_BYTES * samples.length);
  samples.forEach(({ file }, row) => {
    packed.set(Uint8Array.fromHex(hashes[file]), HASH_BYTES * row);
  });
  return packed;
}

/** @see FileIdentity */
export function identityOf({ dev, ino, size, mtime }: Deno.FileInfo): FileIdentity {
  return { dev, ino, size, changed: mtime?.getTime() };
}

/** @throws {LetheError} the file has another content by now */
export function openHashes(hashes: FileHashes): HashReader {
  if (hashes instanceof Uint8Array) {
    return {
      at: (row) => hashes.subarray(HASH_BYTES * row, HASH_BYTES * (row + 1)).toHex(),
      [Symbol.dispose]() {},
    };
  }
  const { path, begin } = hashes;
  const file = openSame(hashes);
  const hash = new Uint8Array(HASH_BYTES);
  return {
    at(row) {
      file.seekSync(begin + HASH_BYTES * row, Deno.SeekMode.Start);
      for (let at = 0; at < HASH_BYTES;) {
        const read = file.readSync(hash.subarray(at));
        if (read === null) throw changed(path);
        at += read;
      }
      return hash.toHex();
    },
    [Symbol.dispose]: () => file.close(),
  };
}

/** Opens the file that was checked, or one of its content: two commands may both have made it. */
function openSame({ path, identity, from, sha256 }: Exclude<FileHashes, Uint8Array>): Deno.FsFile {
  let file: Deno.FsFile | undefined;
  try {
    file = Deno.openSync(path, { read: true });
    const now = identityOf(file.statSync());
    const fields = ["dev", "ino", "size", "changed"] as const;
    if (fields.every((field) => now[field] === identity[field])) return file;
    if (contentHash(file, from) === sha256) return file;
  } catch (cause) {
    file?.close();
    throw changed(path, cause);
  }
  file.close();
  throw changed(path);
}

function changed(path: string, cause?: unknown): LetheError {
  return new LetheError(
    `${path} changed while it was in use`,
    "it holds the hashes that images are held against",
    "run again once nothing else makes it anew",
    { cause },
  );
}
