import { createHmac } from "node:crypto";
import { normalize, resolve } from "@std/path";
import { readPlainText } from "../../files/plain_file.ts";
import { sha256Hex } from "../../files/sha256.ts";
import { writeSecretFile } from "../../files/secret_file.ts";
import { LetheError } from "../../error.ts";

/**
 * The key under which a kit knows people. It lies outside the kit, so that whoever has the kit alone
 * cannot tell, even by trying every name, who is in it.
 */
export type IdentityKey = string;

/** Where a kit's key lies unless `--identity-key` says otherwise: beside the kit, not in it. */
export function identityKeyPath(kit: string): string {
  const named = normalize(kit).replace(/[/\\]+$/, "");
  // `.` and `..` are beside nothing by that name.
  return `${/(?:^|[/\\])\.\.?$/.test(named) ? resolve(named) : named}.identity-key`;
}

/** 256 random bits, in hexadecimal. */
export function newIdentityKey(): IdentityKey {
  return crypto.getRandomValues(new Uint8Array(32)).toHex();
}

/**
 * Writes a key for this user only. A file that is there already stays: whoever lost a key could never
 * again ask its kit for anybody.
 *
 * @throws {LetheError} when the file exists or cannot be written
 */
export function writeIdentityKey(path: string, key: IdentityKey): Promise<void> {
  return writeSecretFile(path, key + "\n");
}

/** Reads a key. @throws {LetheError} it is missing or not a key */
export async function readIdentityKey(path: string): Promise<IdentityKey> {
  const remedy = "bring the key that `deno task meta-learn` wrote beside the kit";
  const key = (await readPlainText(path, { maxBytes: 1024, remedy })).trim();
  if (/^[0-9a-f]{64}$/.test(key)) return key;
  throw new LetheError(
    `${path} holds no identity key`,
    "a key is 64 lower-case hexadecimal digits",
    remedy,
  );
}

/**
 * What kit.json holds instead of a name: HMAC-SHA256 of an identity under the key, in hexadecimal.
 *
 * The identity is taken in Unicode's form NFC: file systems hand back the same name in other forms.
 */
export function identityHash(key: IdentityKey, identity: string): string {
  return keyedHash(key, "identity", identity.normalize("NFC"));
}

/** What the key hides, besides identities where their names could be guessed. */
type KeyUse = "identity" | "training image" | "request table";

/**
 * HMAC-SHA256 in hexadecimal.
 *
 * @param use what is hashed: each use of the key gives other hashes
 */
export function keyedHash(key: IdentityKey, use: KeyUse, text: string): string {
  return createHmac("sha256", Uint8Array.fromHex(key))
    .update(`lethe ${use}\0`)
    .update(text, "utf8")
    .digest("hex");
}

/** Which key it is, without a hint of it: the start of a hash of its own kind, 16 hexadecimal digits. */
export function keyFingerprint(key: IdentityKey): string {
  return sha256Hex(new TextEncoder().encode(`lethe identity key fingerprint\0${key}`)).slice(0, 16);
}
