import { createHash } from "node:crypto";

/** SHA-256 of some bytes as 64 lower-case hexadecimal digits. */
export function sha256Hex(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}

/** As {@link sha256Hex}, the 32 bytes themselves. */
export function sha256Bytes(bytes: Uint8Array): Uint8Array {
  return createHash("sha256").update(bytes).digest();
}

/** As {@link sha256Hex}, of a file, which is read piece by piece. @throws what opening or reading throws */
export function sha256File(path: string): string {
  using file = Deno.openSync(path, { read: true });
  return contentHash(file);
}

/** Bytes of a file that are read at a time. */
const PIECE = 2 ** 20;

/**
 * Room for reading a file piece by piece, no larger than the file: buffers are freed late, and hundreds of
 * small files are hashed at once.
 *
 * @param bytes the file's size
 */
export function pieceFor(bytes: number): Uint8Array<ArrayBuffer> {
  return new Uint8Array(Math.max(1, Math.min(PIECE, bytes)));
}

/** SHA-256 of what an open file holds from a place on. @throws what reading throws */
export function contentHash(file: Deno.FsFile, from = 0): string {
  const hash = createHash("sha256");
  const piece = pieceFor(file.statSync().size - from);
  file.seekSync(from, Deno.SeekMode.Start);
  for (;;) {
    const read = file.readSync(piece);
    if (read === null) return hash.digest("hex");
    hash.update(piece.subarray(0, read));
  }
}
