import { join } from "@std/path";
import { createHash } from "node:crypto";
import type { StoredForm } from "../images/stored_form.ts";
import { sha256Hex } from "../../files/sha256.ts";

/** Changes with whatever changes the pixels of a file beside the form's version: resizing, orientation. */
const VERSION = 2;
const HASH_BYTES = 32;

/**
 * Decoded and resized images in a folder, one file each: the pixels and their SHA-256. A file is named
 * by the hash of its source, the form and the version of the decoders, so a changed source has another
 * name; what was damaged or torn is found by the hash and made anew. It holds training images: whoever
 * deletes the data set deletes this folder too.
 */
export interface PixelCache {
  /** Pixels of a source in a form; null where they are not there or damaged. */
  read(source: string, form: StoredForm): Uint8Array | null;
  /** Keeps pixels, if it can: a full disk costs time later and nothing else. */
  write(source: string, form: StoredForm, pixels: Uint8Array): Promise<void>;
}

/**
 * Opens a cache; its folder is made when something is written.
 *
 * @param folder shared with other processes if need be
 */
export function openPixelCache(folder: string): PixelCache {
  const place = (source: string, { side, version }: StoredForm) => {
    const key = `${source} ${side} ${version} ${VERSION}`;
    const name = sha256Hex(new TextEncoder().encode(key));
    return { folder: join(folder, name.slice(0, 2)), name: name.slice(2) };
  };
  return {
    read(source, form) {
      const at = place(source, form);
      const stored = readOrNull(join(at.folder, at.name));
      const length = form.side ** 2 * 3;
      if (stored?.length !== length + HASH_BYTES) return null;
      const pixels = stored.subarray(0, length);
      const hash = stored.subarray(length);
      return digest(pixels).every((byte, i) => byte === hash[i]) ? pixels : null;
    },
    async write(source, form, pixels) {
      const at = place(source, form);
      const stored = new Uint8Array(pixels.length + HASH_BYTES);
      stored.set(pixels);
      stored.set(digest(pixels), pixels.length);
      // Renamed, so that no process reads half of it; not flushed, since its hash tells.
      const temporary = join(at.folder, `.${at.name}.${crypto.randomUUID()}.part`);
      try {
        await Deno.mkdir(at.folder, { recursive: true });
        await Deno.writeFile(temporary, stored, { createNew: true });
        await Deno.rename(temporary, join(at.folder, at.name));
      } catch {
        await Deno.remove(temporary).catch(() => {});
      }
    },
  };
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
