import { createCipheriv, createDecipheriv, createHmac, hkdfSync } from "node:crypto";
import { LetheError } from "../../error.ts";
import type { IdentityKey } from "./identity_key.ts";

/** Opens one sealed row and no other: 64 hexadecimal digits. */
export type RowKey = string;

/** A row as it lies in the kit. */
export interface SealedRow {
  /** Ciphertext and the tag of 16 bytes. */
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** What {@link rowKey} derives the key from; no secret. */
  readonly salt: string;
}

const ALGORITHM = "aes-256-gcm";
const TAG_BYTES = 16;
/** A key seals one content only, so one nonce serves all keys. */
const NONCE = new Uint8Array(12);
const PURPOSE = "lethe memory row";

/**
 * The key of one row: HKDF-SHA256 of the identity key with the row's salt. Whoever holds it can open that
 * row; the identity key and the other rows' keys do not follow from it.
 */
export function rowKey(key: IdentityKey, salt: string): RowKey {
  const bytes = hkdfSync("sha256", Uint8Array.fromHex(key), Uint8Array.fromHex(salt), PURPOSE, 32);
  return new Uint8Array(bytes).toHex();
}

/**
 * Seals a row with AES-256-GCM. The salt is the HMAC-SHA256 of the content under the identity key: the
 * same content gives the same bytes every time, no key ever seals two contents, and, other than a plain
 * hash, it does not let somebody without the key confirm a guess of the content.
 */
export function sealRow(key: IdentityKey, content: Uint8Array): SealedRow {
  const salt = createHmac("sha256", Uint8Array.fromHex(key))
    .update(`${PURPOSE}\0`)
    .update(content)
    .digest("hex");
  const cipher = createCipheriv(ALGORITHM, Uint8Array.fromHex(rowKey(key, salt)), NONCE);
  const parts = [cipher.update(content), cipher.final(), cipher.getAuthTag()];
  const bytes = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  parts.reduce((at, part) => (bytes.set(part, at), at + part.length), 0);
  return { bytes, salt };
}

/**
 * Opens what {@link sealRow} sealed.
 *
 * @param file its name, for errors
 * @throws {LetheError} the key is another row's, or a bit of it changed
 */
export function openRow(key: RowKey, sealed: Uint8Array, file: string): Uint8Array<ArrayBuffer> {
  try {
    if (sealed.length < TAG_BYTES) throw new RangeError("shorter than its tag");
    const end = sealed.length - TAG_BYTES;
    const decipher = createDecipheriv(ALGORITHM, Uint8Array.fromHex(key), NONCE);
    decipher.setAuthTag(sealed.slice(end));
    const opened = decipher.update(sealed.slice(0, end));
    decipher.final();
    return new Uint8Array(opened);
  } catch (cause) {
    throw new LetheError(
      `${file} cannot be opened`,
      "a row opens with its own key, and only as it was sealed",
      "use the kit as meta-learn wrote it, and the identity key beside it",
      { cause },
    );
  }
}
