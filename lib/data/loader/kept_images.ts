import type { StoredForm } from "../images/stored_form.ts";
import { type HashedFiles, openHashes } from "../file_hashes.ts";
import { fileAt, fileCount } from "../file_table.ts";
import type { ImageLoader } from "./image_loader.ts";

/** What the lists of a thread keep together, and what each image is loaded for ahead of its use. */
export interface Room {
  /** Bytes that may still be kept. */
  left: number;
}

/** Bytes of images that are loaded ahead of their use and not kept. */
const WARM_BYTES = 16 * 2 ** 20;

/** Images of one list, as {@link keptImages} gives them. */
export type KeptImages = ReturnType<typeof keptImages>;

/**
 * Images of one list: all are kept in memory, or none; of those that are not, some are loaded ahead of their
 * use.
 *
 * @param room what the list may take of, and takes where all of it fits
 */
export function keptImages(
  loader: ImageLoader,
  files: readonly string[] | HashedFiles,
  form: StoredForm,
  room: Room,
) {
  const { side } = form;
  const count = "table" in files ? fileCount(files.table) : files.length;
  // Open for as long as the thread lives.
  const hashes = "table" in files ? openHashes(files.hashes) : null;
  const size = side * side * 3;
  const keeps = count * size <= room.left;
  if (keeps) room.left -= count * size;
  const kept = new Map<number, Uint8Array>();
  /** Loaded ahead of their use, which takes them: the oldest first. */
  const warm = new Map<number, Promise<Uint8Array>>();
  const wanted = new Set<number>();
  const load = async (position: number): Promise<Uint8Array> => {
    const pixels = "table" in files
      ? await loader.load(fileAt(files.table, position), form, hashes!.at(position))
      : await loader.load(files[position], form);
    if (keeps) kept.set(position, pixels);
    return pixels;
  };
  return {
    side,
    /** How many are kept. */
    most: keeps ? count : 0,
    load(position: number): Promise<Uint8Array> {
      const ahead = warm.get(position);
      warm.delete(position);
      wanted.delete(position);
      const pixels = kept.get(position);
      return pixels ? Promise.resolve(pixels) : ahead ?? load(position);
    },
    /** Frees an image that {@link load} gave, unless it is kept. */
    release(pixels: Uint8Array): void {
      if (!keeps) loader.release(pixels);
    },
    /** Remembers that an image will be asked for, as far as there is room for it. */
    want(position: number): void {
      if (keeps || (wanted.size + 1) * size <= WARM_BYTES) wanted.add(position);
    },
    /** Loads a wanted image, unless it was asked for meanwhile. */
    async warm(position: number): Promise<void> {
      if (!wanted.delete(position) || kept.has(position) || warm.has(position)) return;
      const pixels = load(position);
      warm.set(position, pixels);
      for (const oldest of warm.keys()) {
        if (warm.size * size <= WARM_BYTES) break;
        const unused = warm.get(oldest)!;
        warm.delete(oldest);
        if (!keeps) unused.then(loader.release, () => {});
      }
      // What is wrong with one is told when it is asked for.
      const whole = await pixels.then(() => true, () => false);
      if (kept.has(position) || !whole) warm.delete(position);
    },
  };
}
