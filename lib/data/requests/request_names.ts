import { sha256Hex } from "../../files/sha256.ts";

/** Longest stem, in bytes: file systems allow 255 with the ending. */
const MAX_STEM = 200;

/**
 * A file name for an identity: letters, digits, `-` and `_` stay; any other byte of its UTF-8
 * becomes `%XX`. A name that is too long, or that some file systems could not tell from one already
 * taken (they do not tell `a` from `A`), gets a piece of the identity's SHA-256.
 *
 * @param identity any text
 * @param extension with its dot
 * @param taken names given so far, in lower case; the new one is added
 */
export function identityFileName(identity: string, extension: string, taken: Set<string>): string {
  const utf8 = new TextEncoder().encode(identity);
  let stem = Array.from(utf8, (byte) => {
    const letter = String.fromCharCode(byte);
    return /[A-Za-z0-9_-]/.test(letter)
      ? letter
      : "%" + byte.toString(16).toUpperCase().padStart(2, "0");
  }).join("");
  if (stem.length > MAX_STEM || taken.has((stem + extension).toLowerCase())) {
    stem = `${stem.slice(0, MAX_STEM)}-${sha256Hex(utf8).slice(0, 16)}`;
  }
  taken.add((stem + extension).toLowerCase());
  return stem + extension;
}

/** The identity that a file's name stands for, `%XX` undone where it is valid UTF-8. */
export function identityOfFileName(name: string): string {
  return decoded(stemOf(name));
}

/**
 * Whom a file named `4711.2.jpg` shows where there is nobody called `4711.2`: it is a further photograph
 * of `4711`. A dot that belongs to an identity is unmistakable as `%2E`.
 *
 * @returns null for a name without such a number, from 1 to 99
 */
export function numberedIdentity(name: string): string | null {
  const [, identity] = /^(.+)\.[1-9][0-9]?$/s.exec(stemOf(name)) ?? [];
  return identity === undefined ? null : decoded(identity);
}

function stemOf(name: string): string {
  return name.replace(/\.[^.]*$/, "");
}

function decoded(stem: string): string {
  try {
    return decodeURIComponent(stem);
  } catch {
    return stem;
  }
}
