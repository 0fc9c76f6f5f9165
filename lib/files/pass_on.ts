import { createHash } from "node:crypto";
import { LetheError } from "../error.ts";
import { noteRead, openPlainFile, type PlainFileOptions } from "./plain_file.ts";

/** Bytes that are in memory at a time. */
const PIECE = 2 ** 20;

/**
 * Copies a file whose content is known by its hash, piece by piece, and takes the hash on the way: what
 * is passed on unread is held against its hash all the same, and a link to it is refused.
 *
 * @param target a file that does not exist yet
 * @throws {LetheError} the source is missing, not plain or has another hash; the target stays unfinished
 */
export async function passOn(
  source: string,
  target: string,
  sha256: string,
  options: PlainFileOptions,
): Promise<void> {
  const from = await openPlainFile(source, options);
  try {
    const to = await Deno.open(target, { write: true, createNew: true });
    try {
      const hash = createHash("sha256");
      const piece = new Uint8Array(PIECE);
      for (let count; (count = await from.read(piece)) > 0;) {
        const bytes = piece.subarray(0, count);
        hash.update(bytes);
        for (let done = 0; done < count;) done += await to.write(bytes.subarray(done));
      }
      await from.end();
      const found = hash.digest("hex");
      noteRead(source, found, from.size);
      if (found !== sha256) throw otherHash(source, found, sha256, options.remedy);
    } finally {
      to.close();
    }
  } finally {
    from.close();
  }
}

/** A file that is not what its hash says. */
export function otherHash(
  path: string,
  found: string,
  due: string,
  remedy = "restore the file from a copy",
): LetheError {
  return new LetheError(`${path} has SHA-256 ${found}`, `it is to have ${due}`, remedy);
}
