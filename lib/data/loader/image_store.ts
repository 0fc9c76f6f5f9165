import { join } from "@std/path";
import { LetheError } from "../../error.ts";
import { MAX_IMAGE_BYTES } from "../images/decode_image.ts";
import { checkHash, type ImageFiles, MISSING_IMAGE, openImageLoader } from "./image_loader.ts";
import { readPlainFile } from "../../files/plain_file.ts";
import { sha256Hex } from "../../files/sha256.ts";
import { byteSize } from "../../files/text/byte_size.ts";
import { decodeToForm, type StoredForm } from "../images/stored_form.ts";
import type { StoredImages } from "./stored_source.ts";

/** Called after each image. */
export type Progress = (done: number, total: number) => void;

/** How {@link loadImages} goes about it. */
export interface LoadOptions extends ImageFiles {
  /** Bytes of pixels that are kept in memory; more are read from the cache, image by image. */
  readonly inMemory?: number;
  readonly onProgress?: Progress | undefined;
}

/** Pixels that are loaded into memory at once by default, bytes: 14,000 images of 224 px. */
const AT_ONCE = 2 * 2 ** 30;

/**
 * Reads, decodes and resizes images on every core, each file held against its hash.
 *
 * With a cache, what is there already is taken from it, whose content is the same; images too many for
 * memory stay there, and their pixels are read when they are asked for.
 *
 * @param root the data set's folder
 * @param files paths below it, none twice
 * @param form what they are decoded to
 * @throws {LetheError} a file is missing, is not the one that was hashed, or does not decode; too many
 *   images for memory without a cache
 */
export async function loadImages(
  root: string,
  files: readonly string[],
  form: StoredForm,
  { inMemory = AT_ONCE, onProgress, ...options }: LoadOptions = {},
): Promise<StoredImages> {
  const { side } = form;
  const size = side * side * 3;
  const what = `${files.length} images of ${side} x ${side}`;
  const keep = files.length * size <= inMemory;
  const inCache = options.cache !== undefined && options.hashes !== undefined;
  if (!keep && !inCache) throw tooLarge(what, files.length * size);
  const data = keep ? allocate(files.length * size, what) : null;
  using loader = openImageLoader(root, files.length, options);
  let [next, done] = [0, 0];
  const load = async () => {
    while (next < files.length) {
      const index = next++;
      const pixels = await loader.load(files[index], form);
      data?.set(pixels, index * size);
      loader.release(pixels);
      onProgress?.(++done, files.length);
    }
  };
  await Promise.all(Array.from({ length: loader.atOnce }, load));

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
      const stored = loader.cached(files[position], form);
      if (stored) return stored;
      // A JPEG that is far smaller than its pixels stays where it is.
      const path = join(root, files[position]);
      const bytes = Deno.readFileSync(path);
      checkHash(path, bytes, options.hashes?.[files[position]]);
      return decodeToForm(bytes, path, form);
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

function allocate(bytes: number, what: string): Uint8Array {
  try {
    return new Uint8Array(bytes);
  } catch (cause) {
    throw tooLarge(what, bytes, cause);
  }
}

function tooLarge(what: string, bytes: number, cause?: unknown): LetheError {
  return new LetheError(
    `${what} take ${byteSize(bytes)}`,
    "so many are not kept in memory",
    "name a folder that holds them decoded with --cache, or use fewer or smaller images",
    { cause },
  );
}
