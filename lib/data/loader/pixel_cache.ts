import { join } from "@std/path";
import { createHash } from "node:crypto";
import type { Image } from "../images/decode_image.ts";
import type { StoredForm } from "../images/stored_form.ts";
import { firstLine } from "../../error.ts";
import { isNoRoom, roomRemedy } from "../../files/no_room.ts";
import { sha256Hex } from "../../files/sha256.ts";

/** Changes with whatever changes the pixels of a file beside the form's version: resizing, orientation. */
const VERSION = 3;
const HASH_BYTES = 32;
/** Width and height, 32 bits each. */
const SIZE_BYTES = 8;
/** Pixels must be this much larger than a JPEG to be left to it: decoding takes longer than reading. */
const WORTH_DECODING = 4;

/**
 * Decoded images in a folder, one file each: their size, the pixels and a SHA-256 of both. An image
 * that a form enlarges is kept as it was before. A file is named by the hash of its source, the
 * form and the version of the decoders, so a changed source has another name; what was damaged or
 * torn is found by the hash and made anew. It holds training images: whoever deletes the data set
 * deletes this folder too.
 */
export interface PixelCache {
  /** The image of a source for a form, not yet resized to it; null where it is not there or damaged. */
  read(source: string, form: StoredForm): Image | null;
  /** Keeps an image, if it can: a full disk costs time later and nothing else, and is told once. */
  write(source: string, form: StoredForm, image: Image): Promise<void>;
}

/** Whether a file begins as a JPEG does. */
export function isJpeg(file: Uint8Array): boolean {
  return file[0] === 0xff && file[1] === 0xd8;
}

/** Whether a JPEG is so much smaller than its pixels that it is better decoded again than kept decoded. */
export function staysJpeg(jpegBytes: number, pixelBytes: number): boolean {
  return WORTH_DECODING * jpegBytes <= pixelBytes;
}

/**
 * Opens a cache; its folder is made when something is written.
 *
 * @param folder shared with other processes if need be
 * @param onNotice gets a line when an image cannot be kept, the first time
 */
export function openPixelCache(folder: string, onNotice?: (line: string) => void): PixelCache {
  let told = false;
  const tell = (cause: unknown) => {
    if (!told) onNotice?.(notKept(folder, cause));
    told = true;
  };
  const place = (source: string, { side, version }: StoredForm) => {
    const key = `${source} ${side} ${version} ${VERSION}`;
    const name = sha256Hex(new TextEncoder().encode(key));
    return { folder: join(folder, name.slice(0, 2)), name: name.slice(2) };
  };
  return {
    read(source, form) {
      const at = place(source, form);
      const stored = readOrNull(join(at.folder, at.name));
      if (!stored || stored.length < SIZE_BYTES + HASH_BYTES) return null;
      const content = stored.subarray(0, -HASH_BYTES);
      const hash = stored.subarray(-HASH_BYTES);
      if (!digest(content).every((byte, i) => byte === hash[i])) return null;
      const view = new DataView(stored.buffer, stored.byteOffset);
      const [width, height] = [view.getUint32(0), view.getUint32(4)];
      const rgb = content.subarray(SIZE_BYTES);
      return rgb.length === width * height * 3 ? { width, height, rgb } : null;
    },
    async write(source, form, { width, height, rgb }) {
      const at = place(source, form);
      const stored = new Uint8Array(SIZE_BYTES + rgb.length + HASH_BYTES);
      const view = new DataView(stored.buffer);
      view.setUint32(0, width);
      view.setUint32(4, height);
      stored.set(rgb, SIZE_BYTES);
      stored.set(digest(stored.subarray(0, -HASH_BYTES)), SIZE_BYTES + rgb.length);
      // Renamed, so that no process reads half of it; not flushed, since its hash tells.
      const temporary = join(at.folder, `.${at.name}.${crypto.randomUUID()}.part`);
      try {
        await Deno.mkdir(at.folder, { recursive: true });
        await Deno.writeFile(temporary, stored, { createNew: true });
        await Deno.rename(temporary, join(at.folder, at.name));
      } catch (error) {
        await Deno.remove(temporary).catch(() => {});
        tell(error);
      }
    },
  };
}

function notKept(folder: string, cause: unknown): string {
  const remedy = isNoRoom(cause) ? roomRemedy(join(folder, "images")) : "mend its rights";
  // Without the temporary file's name, which nobody knows.
  const why = firstLine(cause).replace(/[,:] \w+ '.*$/, "");
  return `${folder} keeps no more images (${why}), which are decoded each time: ${remedy}`;
}

function digest(bytes: Uint8Array): Uint8Array {
  return createHash("sha256").update(bytes).digest();
}

function readOrNull(path: string): Uint8Array | null {
  try {
    return Deno.readFileSync(path);
  } catch {
    return null;
  }
}
