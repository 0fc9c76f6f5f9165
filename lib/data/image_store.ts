import { join } from "@std/path";
import { LetheError } from "../error.ts";
import { decodeImage, MAX_IMAGE_BYTES } from "./decode_image.ts";
import { openDecodePool } from "./decode_pool.ts";
import { openPixelCache } from "./pixel_cache.ts";
import { readPlainFile } from "./plain_file.ts";
import { resizeBilinear } from "./resize.ts";
import { sha256Hex } from "./sha256.ts";
import type { StoredImages } from "./stored_source.ts";

/** Called after each image. */
export type Progress = (done: number, total: number) => void;

/** How {@link loadImages} goes about it. */
export interface LoadOptions {
  /** SHA-256 by file, against which every file is held. */
  readonly hashes?: Readonly<Record<string, string>>;
  /** A folder that keeps decoded images; needs `hashes`. */
  readonly cache?: string;
  /** Bytes of pixels that are kept in memory; more are read from the cache, image by image. */
  readonly inMemory?: number;
  readonly onProgress?: Progress;
}

/** Pixels that are kept in memory by default, bytes: a million small images, 14,000 of 224 px. */
const IN_MEMORY = 2 * 2 ** 30;
/** Fewer are decoded here, since workers take a while to start. */
const WORTH_A_POOL = 256;
const MOST_WORKERS = 8;

/**
 * Reads, decodes and resizes images on every core, each file held against its hash.
 *
 * With a cache, what is there already is taken from it, whose content is the same; images too many for
 * memory stay there, and their pixels are read when they are asked for.
 *
 * @param root the data set's folder
 * @param files paths below it, none twice
 * @param side pixels a side to resize to, proportions not kept
 * @throws {LetheError} a file is missing, is not the one that was hashed, or does not decode; too many
 *   images for memory without a cache
 */
export async function loadImages(
  root: string,
  files: readonly string[],
  side: number,
  { hashes, cache: folder, inMemory = IN_MEMORY, onProgress }: LoadOptions = {},
): Promise<StoredImages> {
  const size = side * side * 3;
  const what = `${files.length} images of ${side} x ${side}`;
  const keep = files.length * size <= inMemory;
  const cache = folder !== undefined && hashes ? openPixelCache(folder) : null;
  if (!keep && !cache) throw tooLarge(what, files.length * size);
  const data = keep ? allocate(files.length * size, what) : null;
  const workers = Math.min(navigator.hardwareConcurrency, MOST_WORKERS);
  using pool = files.length < WORTH_A_POOL ? null : openDecodePool(workers);

  const load = async (index: number) => {
    const file = files[index];
    const cached = cache?.read(hashes![file], side) ?? null;
    if (cached) return void data?.set(cached, index * size);
    const path = join(root, file);
    const bytes = await readPlainFile(path, { maxBytes: MAX_IMAGE_BYTES, remedy: MISSING_IMAGE });
    if (hashes) checkHash(path, bytes, hashes[file]);
    const pixels = pool
      ? await pool.decode(bytes, path, side)
      : resizeBilinear(decodeImage(bytes, path), side);
    data?.set(pixels, index * size);
    await cache?.write(hashes![file], side, pixels);
  };
  let [next, done] = [0, 0];
  const loader = async () => {
    while (next < files.length) {
      await load(next++);
      onProgress?.(++done, files.length);
    }
  };
  await Promise.all(Array.from({ length: pool?.atOnce ?? 1 }, loader));

  const positions = new Map(files.map((file, index) => [file, index]));
  return {
    side,
    indexOf(file) {
      const index = positions.get(file);
      if (index === undefined) throw new RangeError(`${file} is not among the loaded images`);
      return index;
    },
    pixels(position) {
      if (data) return data.subarray(position * size, (position + 1) * size);
      const stored = cache!.read(hashes![files[position]], side);
      if (stored) return stored;
      throw new LetheError(
        `${folder} has lost ${files[position]}`,
        "images too many for memory are read from the cache while the command runs",
        "repeat the command, and leave the cache alone meanwhile",
      );
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
    throw tooLarge(what, bytes, cause);
  }
}

function tooLarge(what: string, bytes: number, cause?: unknown): LetheError {
  return new LetheError(
    `${what} take ${(bytes / 2 ** 30).toFixed(1)} GiB`,
    "so many are not kept in memory",
    "name a folder that holds them decoded with --cache, or use fewer or smaller images",
    { cause },
  );
}
