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

/** SHA-256 of what an open file holds from a place on. @throws what reading throws */
export function contentHash(file: Deno.FsFile, from = 0): string {
  const hash = createHash("sha256");
  const piece = new Uint8Array(2 ** 20);
  file.seekSync(from, Deno.SeekMode.Start);
  for (;;) {
    const read = file.readSync(piece);
    if (read === null) return hash.digest("hex");
    hash.update(piece.subarray(0, read));
  }
}
