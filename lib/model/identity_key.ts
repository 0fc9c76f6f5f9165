import { createHmac } from "node:crypto";
import { readPlainText } from "../data/plain_file.ts";
import { LetheError } from "../error.ts";

/**
 * The key under which a kit knows people. It lies outside the kit, so that whoever has the kit alone
 * cannot tell, even by trying every name, who is in it.
 */
export type IdentityKey = string;

/** Where a kit's key lies unless `--identity-key` says otherwise: beside the kit, not in it. */
export function identityKeyPath(kit: string): string {
  return `${kit.replace(/[/\\]+$/, "")}.identity-key`;
}

/** 256 random bits, in hexadecimal. */
export function newIdentityKey(): IdentityKey {
  return crypto.getRandomValues(new Uint8Array(32)).toHex();
}

/** Writes a key for this user only (mode 0600). @throws when the file exists */
export async function writeIdentityKey(path: string, key: IdentityKey): Promise<void> {
  const file = await Deno.open(path, { write: true, createNew: true, mode: 0o600 });
  try {
    await file.write(new TextEncoder().encode(key + "\n"));
    await file.sync();
  } finally {
    file.close();
  }
}

/** Reads a key. @throws LetheError it is missing or not a key */
export async function readIdentityKey(path: string): Promise<IdentityKey> {
  const key = (await readPlainText(path, { maxBytes: 1024 })).trim();
  if (/^[0-9a-f]{64}$/.test(key)) return key;
  throw new LetheError(
    `${path} holds no identity key`,
    "a key is 64 hexadecimal digits",
    "use the key that meta-learn wrote beside the kit",
  );
}

/** HMAC-SHA256 of an identity under the key, in hexadecimal: what kit.json holds instead of a name. */
export function identityHash(key: IdentityKey, identity: string): string {
  return createHmac("sha256", Uint8Array.fromHex(key)).update(identity, "utf8").digest("hex");
}
