import { join } from "@std/path";
import { LetheError } from "../../error.ts";
import { type Image, MAX_IMAGE_BYTES } from "../images/decode_image.ts";
import { freeBytes } from "../images/free_bytes.ts";
import type { Cut } from "../images/random_crop.ts";
import { resizeBilinear } from "../images/resize.ts";
import { type DecodePool, openDecodePool, shared } from "./decode_pool.ts";
import { isJpeg, openPixelCache, staysJpeg } from "./pixel_cache.ts";
import { readPlainFile } from "../../files/plain_file.ts";
import { decodeForForm, type StoredForm } from "../images/stored_form.ts";
import { allWhole, batchPixels } from "./batch_pixels.ts";
import { sha256Hex } from "../../files/sha256.ts";

/** What images are held against, and where they are kept decoded. */
export interface ImageFiles {
  /** SHA-256 by file, against which every file is held. */
  readonly hashes?: Readonly<Record<string, string>>;
  /** A folder that keeps decoded images; needs `hashes`. */
  readonly cache?: string | undefined;
}

/** Loads one image after the other. */
export interface ImageLoader extends Disposable {
  /** Images to ask for at a time: more only hold memory. It grows when there is something to decode. */
  readonly atOnce: number;
  /**
   * @param file below the root
   * @returns [side, side, 3] bytes
   * @param hash its SHA-256, where the loader was not opened with all of them
   * @throws {LetheError} the file is missing, is not the one that was hashed, or does not decode
   */
  load(file: string, form: StoredForm, hash?: string): Promise<Uint8Array>;
  /** The image as the cache has it; null where it is not there, or damaged. */
  cached(file: string, form: StoredForm): Uint8Array | null;
  /** Frees what {@link load} gave and nobody will look at again. */
  release(pixels: Uint8Array): void;
  /** As `batchPixels`, on every core. @param images as {@link load} gave them */
  cut(
    images: readonly Uint8Array[],
    side: number,
    cuts: readonly Cut[] | null,
    imageSize: number,
  ): Promise<Float32Array<ArrayBuffer>>;
}

/** What to do about an image that is gone. */
export const MISSING_IMAGE = "restore the image, or make a new split without it";

/** Fewer are decoded here, since workers take a while to start. */
const WORTH_A_POOL = 256;
/** Images that a worker is worth, of those that will be asked for. */
const IMAGES_PER_WORKER = 64;
/** Bytes of files that are decoded in the time that workers take to start, about. */
const BYTES_OF_A_START = 4 * 2 ** 20;
/** Bytes of a file that is decoded in the time that sending it to a worker takes. */
const BYTES_OF_A_MESSAGE = 2 ** 10;

/** Threads that decode so many images: every core's, or none where they are few. */
export function decoderThreads(images: number): number {
  if (images < WORTH_A_POOL) return 0;
  return Math.min(navigator.hardwareConcurrency, Math.ceil(images / IMAGES_PER_WORKER));
}

/**
 * Reads, decodes and resizes images on every core, each file held against its hash. With a cache, what
 * is there already is taken from it, whose content is the same, and what is not is put there.
 *
 * @param root the data set's folder
 * @param count images that will be asked for, about
 * @param onNotice gets a line when the cache takes no more
 */
export function openImageLoader(
  root: string,
  count: number,
  { hashes, cache: folder }: ImageFiles,
  onNotice?: (line: string) => void,
): ImageLoader {
  const cache = folder === undefined ? null : openPixelCache(folder, onNotice);
  const workers = decoderThreads(count);
  let pool: DecodePool | null | undefined = workers === 0 ? null : undefined;
  /** Opens the pool at the first file, unless it is small, or all files together are. */
  const consider = (bytes: number) => {
    if (pool !== undefined) return;
    const small = bytes < BYTES_OF_A_MESSAGE || bytes * count < BYTES_OF_A_START;
    pool = small ? null : openDecodePool(workers);
  };
  const cached = (hash: string | undefined, form: StoredForm) =>
    hash === undefined ? null : cache?.read(hash, form) ?? null;
  const resized = (image: Image, side: number) => {
    if (image.width !== side || image.height !== side) {
      return pool ? pool.resize(image, side) : resizeBilinear(image, side);
    }
    return pool ? shared(image.rgb) : image.rgb;
  };
  return {
    get atOnce() {
      return pool?.atOnce ?? 1;
    },
    cached(file, form) {
      const image = cached(hashes?.[file], form);
      return image && resizeBilinear(image, form.side);
    },
    async load(file, form, hash = hashes?.[file]) {
      const known = cached(hash, form);
      if (known) return await resized(known, form.side);
      const path = join(root, file);
      const bytes = await readPlainFile(path, { maxBytes: MAX_IMAGE_BYTES, remedy: MISSING_IMAGE });
      if (hashes || hash !== undefined) checkHash(path, bytes, hash);
      consider(bytes.length);
      const jpegBytes = isJpeg(bytes) ? bytes.length : null; // the bytes go
      const { pixels, smaller } = pool
        ? await pool.decode(bytes, path, form)
        : decodeForForm(bytes, path, form);
      if (!pool) freeBytes(bytes);
      const image = smaller ?? { width: form.side, height: form.side, rgb: pixels };
      const stays = jpegBytes !== null && staysJpeg(jpegBytes, image.rgb.length);
      if (hash !== undefined && !stays) await cache?.write(hash, form, image);
      return pixels;
    },
    release(pixels) {
      if (pool) pool.release(pixels);
      else freeBytes(pixels);
    },
    cut(images, side, cuts, imageSize) {
      return pool && cuts && images.length > 1 && !allWhole(cuts, side, imageSize)
        ? pool.cut(images, side, cuts, imageSize)
        : Promise.resolve(batchPixels(images, side, cuts, imageSize));
    },
    [Symbol.dispose]: () => pool?.[Symbol.dispose](),
  };
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
