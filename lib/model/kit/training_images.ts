import { LetheError } from "../../error.ts";
import { type IdentityKey, keyedHash } from "./identity_key.ts";

/** The kit's file of keyed image hashes. */
export const TRAINING_IMAGES = "training_images.txt";

/**
 * What a kit holds of an image that it was learned from, so that a copy handed in as a request is
 * recognised when the data set is gone. It knows a file by its exact bytes; a copy that was encoded,
 * cut or scaled anew is another file. Without the key nobody can try pictures against it.
 *
 * @param sha256 of the image file
 */
export function trainingImageHash(key: IdentityKey, sha256: string): string {
  return keyedHash(key, "training image", sha256);
}

/** One keyed hash per line. @param hashes sorted, none twice */
export function encodeTrainingImages(hashes: readonly string[]): Uint8Array {
  return new TextEncoder().encode(hashes.map((hash) => `${hash}\n`).join(""));
}

/**
 * Reads what {@link encodeTrainingImages} wrote.
 *
 * @param file its name, for errors
 * @throws {LetheError} a line that is no hash, or out of order
 */
export function parseTrainingImages(bytes: Uint8Array, file: string): string[] {
  const text = new TextDecoder().decode(bytes);
  const lines = text.split("\n");
  const last = lines.pop();
  const wrong = lines.findIndex((line, i) =>
    !/^[0-9a-f]{64}$/.test(line) || i > 0 && lines[i - 1] >= line
  );
  if (wrong < 0 && last === "") return lines;
  throw new LetheError(
    `${file} line ${wrong < 0 ? lines.length + 1 : wrong + 1} is not the next keyed hash`,
    "each line is 64 lower-case hexadecimal digits, in ascending order, and ends the line",
    "restore the kit from a copy, or make it anew with `deno task meta-learn`",
  );
}
