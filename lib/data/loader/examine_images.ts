import { join } from "@std/path";
import { LetheError } from "../../error.ts";
import { shellWord } from "../../files/shell_word.ts";
import { readPlainFile } from "../../files/plain_file.ts";
import { sha256Bytes } from "../../files/sha256.ts";
import { HASH_BYTES } from "../file_hashes.ts";
import { MAX_IMAGE_BYTES, MIN_SIDE } from "../images/decode_image.ts";
import { decodeToForm, INPUT_VERSION } from "../images/stored_form.ts";
import { openDecodePool } from "./decode_pool.ts";
import { decoderThreads, MISSING_IMAGE } from "./image_loader.ts";
import type { Samples } from "../sample.ts";
import type { Progress } from "./image_store.ts";

/** What {@link examineImages} found. */
export interface Examined {
  /** SHA-256 of each file, {@link HASH_BYTES} bytes. */
  readonly hashes: Uint8Array;
  /** What is wrong with images that do not decode, as `a.jpg is empty`. */
  readonly broken: readonly string[];
}

/** JPEGs are decoded to an eighth where that leaves as much: a damaged one is found all the same. */
const FORM = { side: MIN_SIDE, version: INPUT_VERSION };

/** Files by their place: an array, or what spells a name when it is asked for. */
export interface Files {
  readonly length: number;
  at(index: number): string | undefined;
}

/** The files of a data set's samples. */
export function filesOf(samples: Samples): Files {
  return { length: samples.length, at: (index) => samples.at(index)?.file };
}

/**
 * Hashes images and tries whether they decode, on every core.
 *
 * @param decode false hashes only
 * @throws {LetheError} a file is missing or cannot be read
 */
export async function examineImages(
  root: string,
  files: Files,
  { decode, onProgress }: { decode: boolean; onProgress?: Progress },
): Promise<Examined> {
  const threads = decode ? decoderThreads(files.length) : 0;
  using pool = threads > 0 ? openDecodePool(threads) : null;
  const hashes = new Uint8Array(HASH_BYTES * files.length);
  const broken: string[] = [];
  let [next, done] = [0, 0];
  const examine = async () => {
    while (next < files.length) {
      const index = next++;
      const file = files.at(index)!;
      const path = join(root, file);
      const bytes = await readPlainFile(path, { maxBytes: MAX_IMAGE_BYTES, remedy: MISSING_IMAGE });
      hashes.set(sha256Bytes(bytes), HASH_BYTES * index);
      try {
        if (pool) pool.release((await pool.decode(bytes, file, FORM)).pixels);
        else if (decode) decodeToForm(bytes, file, FORM);
      } catch (error) {
        if (!(error instanceof LetheError)) throw error;
        broken.push(error.value);
      }
      onProgress?.(++done, files.length);
    }
  };
  await Promise.all(Array.from({ length: pool?.atOnce ?? 1 }, examine));
  return { hashes, broken: broken.sort() };
}

/** @throws {LetheError} there are broken images */
export function refuseBroken(root: string, { hashes, broken }: Examined): void {
  if (broken.length === 0) return;
  const named = broken.slice(0, 5).join("; ") + (broken.length > 5 ? "; .." : "");
  const all = broken.length > 5 ? `; inspect ${shellWord(root)} --json names all` : "";
  throw new LetheError(
    `${broken.length} of ${hashes.length / HASH_BYTES} images of ${root} do not decode: ${named}`,
    "training would stop at them, and a split names every image",
    "copy them again from their source or remove them (their rows may stay), or go on with --no-check" +
      all,
  );
}
