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

/** Bytes of a line: 64 hexadecimal digits and its end. */
const LINE = 65;
const [DIGITS, END] = [64, 0x0a];

/** Keyed hashes, looked up where their file holds them: as strings they would take several times its size. */
export class TrainingImages implements Iterable<string> {
  readonly #lines: Uint8Array;

  /** Takes them over. @param lines as {@link encodeTrainingImages} writes them */
  constructor(lines: Uint8Array) {
    this.#lines = lines;
  }

  /** How many. */
  get size(): number {
    return this.#lines.length / LINE;
  }

  /** Whether a keyed hash is among them. */
  has(hash: string): boolean {
    let [low, high] = [0, this.size];
    while (low < high) {
      const middle = (low + high) >> 1;
      const line = this.#at(middle);
      if (line === hash) return true;
      if (line < hash) low = middle + 1;
      else high = middle;
    }
    return false;
  }

  /** One after the other. */
  *[Symbol.iterator](): Iterator<string> {
    for (let line = 0; line < this.size; line++) yield this.#at(line);
  }

  #at(line: number): string {
    return String.fromCharCode(...this.#lines.subarray(line * LINE, line * LINE + DIGITS));
  }
}

/** One keyed hash per line. @param given sorted, none twice */
export function encodeTrainingImages(given: Iterable<string>): Uint8Array {
  const hashes = [...given];
  const encoder = new TextEncoder();
  const lines = new Uint8Array(LINE * hashes.length).fill(END);
  hashes.forEach((hash, line) => encoder.encodeInto(hash, lines.subarray(LINE * line)));
  return lines;
}

/**
 * Reads what {@link encodeTrainingImages} wrote.
 *
 * @param bytes stay in use
 * @param file its name, for errors
 * @throws {LetheError} a line that is no hash, or out of order
 */
export function parseTrainingImages(bytes: Uint8Array, file: string): TrainingImages {
  const wrong = wrongLine(bytes);
  if (wrong === null) return new TrainingImages(bytes);
  throw new LetheError(
    `${file} line ${wrong} is not the next keyed hash`,
    "each line is 64 lower-case hexadecimal digits, in ascending order, and ends the line",
    "restore the kit from a copy, or make it anew with `deno task meta-learn`",
  );
}

/** The first line that is not as it should be, from 1; null where all are. */
function wrongLine(bytes: Uint8Array): number | null {
  for (let line = 0; line * LINE < bytes.length; line++) {
    const at = line * LINE;
    if (bytes[at + DIGITS] !== END) return line + 1;
    // Against the line before: of the first digit that differs.
    let order = line === 0 ? 1 : 0;
    for (let i = at; i < at + DIGITS; i++) {
      if (!isDigit(bytes[i])) return line + 1;
      order ||= Math.sign(bytes[i] - bytes[i - LINE]);
    }
    if (order !== 1) return line + 1;
  }
  return null;
}

/** Of 0 to 9 and a to f. */
function isDigit(byte: number): boolean {
  return byte >= 0x30 && byte <= 0x39 || byte >= 0x61 && byte <= 0x66;
}
