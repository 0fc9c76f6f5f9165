import { join } from "@std/path";
import { LetheError } from "../error.ts";
import { decodeImage, MAX_IMAGE_BYTES } from "./decode_image.ts";
import { readPlainFile } from "./plain_file.ts";
import { resizeBilinear } from "./resize.ts";
import { sha256Hex } from "./sha256.ts";

/** Decoded images in memory, all of one size. */
export interface ImageStore {
  /** Pixels a side. */
  readonly side: number;
  readonly count: number;
  /** [count, side, side, 3] bytes, in the order of the files asked for. */
  readonly data: Uint8Array;
  /**
   * A file's place in `data`.
   *
   * @throws {RangeError} when the file was not loaded
   */
  indexOf(file: string): number;
}

/** Called after each image. */
export type Progress = (done: number, total: number) => void;

/**
 * Reads, decodes and resizes images, one after another (decoding is the processor's work).
 *
 * @param root the data set's folder
 * @param files paths below it, none twice
 * @param side pixels a side to resize to, proportions not kept
 * @param options `hashes`: SHA-256 by file, against which every file is held; `onProgress`
 * @throws {LetheError} when a file is missing, is not the one that was hashed, or does not decode
 */
export async function loadImages(
  root: string,
  files: readonly string[],
  side: number,
  options: { hashes?: Readonly<Record<string, string>>; onProgress?: Progress } = {},
): Promise<ImageStore> {
  const size = side * side * 3;
  const data = allocate(files.length * size, `${files.length} images of ${side} x ${side}`);
  const positions = new Map(files.map((file, index) => [file, index]));
  for (const [index, file] of files.entries()) {
    const path = join(root, file);
    const bytes = await readPlainFile(path, { maxBytes: MAX_IMAGE_BYTES, remedy: MISSING_IMAGE });
    if (options.hashes) checkHash(path, bytes, options.hashes[file]);
    data.set(resizeBilinear(decodeImage(bytes, path), side), index * size);
    options.onProgress?.(index + 1, files.length);
  }
  return {
    side,
    count: files.length,
    data,
    indexOf(file) {
      const index = positions.get(file);
      if (index === undefined) throw new RangeError(`${file} is not among the loaded images`);
      return index;
    },
  };
}

/**
 * Hashes images as they lie on the disk.
 *
 * @returns SHA-256 by file
 * @throws {LetheError} when a file cannot be read
 */
export async function hashImages(
  root: string,
  files: readonly string[],
  options: { onProgress?: Progress } = {},
): Promise<Record<string, string>> {
  const hashes: [string, string][] = [];
  for (const [index, file] of files.entries()) {
    const path = join(root, file);
    const bytes = await readPlainFile(path, { maxBytes: MAX_IMAGE_BYTES, remedy: MISSING_IMAGE });
    hashes.push([file, sha256Hex(bytes)]);
    options.onProgress?.(index + 1, files.length);
  }
  return Object.fromEntries(hashes);
}

/**
 * Holds a file against the hash that its split recorded.
 *
 * @throws {LetheError} when they differ
 */
export function checkHash(path: string, bytes: Uint8Array, expected: string | undefined): void {
  if (sha256Hex(bytes) === expected) return;
  throw new LetheError(
    expected === undefined ? `${path} has no hash in the split` : `${path} has changed`,
    "results hold for the images that were split",
    "restore the file, or make a new split",
  );
}

const MISSING_IMAGE = "restore the image, or make a new split without it";

function allocate(bytes: number, what: string): Uint8Array {
  try {
    return new Uint8Array(bytes);
  } catch (cause) {
    throw new LetheError(
      `${what} take ${(bytes / 2 ** 30).toFixed(1)} GiB`,
      "decoded images are kept in memory",
      "use fewer or smaller images, or a machine with more memory",
      { cause },
    );
  }
}
