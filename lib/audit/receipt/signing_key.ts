import { readPlainText } from "../../files/plain_file.ts";
import { writeSecretFile } from "../../files/secret_file.ts";
import { refuseExisting, writeWhole } from "../../files/write_whole.ts";
import { LetheError, UsageError } from "../../error.ts";

/** Who signs receipts: an Ed25519 key pair (RFC 8032). */
export interface SigningKey {
  /** Signs, and cannot be taken out. */
  readonly privateKey: CryptoKey;
  /** 32 bytes in hexadecimal. */
  readonly publicKey: string;
}

/** Where a run looks for its key unless `--signing-key` names one: in the working folder. */
export const DEFAULT_SIGNING_KEY = "lethe.signing-key";

const MAX_BYTES = 4096;
const REMEDY = "name a key that `deno task audit --new-key FILE` made";
/** What precedes the 32 bytes of a public key in its DER form (RFC 8410). */
const SPKI = "302a300506032b6570032100";

/**
 * Makes a key pair: the private key at `path` for this user only, the public one beside it, with
 * `.pub`, for whoever verifies. Both are PEM, as OpenSSL writes them (PKCS #8 and SPKI).
 *
 * @returns the public key, in hexadecimal
 * @throws {LetheError} one of the files exists or cannot be written
 */
export async function newSigningKey(path: string): Promise<string> {
  await refuseExisting(`${path}.pub`);
  const pair = await crypto.subtle.generateKey("Ed25519", true, ["sign", "verify"]);
  const { privateKey, publicKey } = pair as CryptoKeyPair;
  const der = async (format: "pkcs8" | "spki", key: CryptoKey) =>
    new Uint8Array(await crypto.subtle.exportKey(format, key));
  await writeSecretFile(path, pem("PRIVATE KEY", await der("pkcs8", privateKey)));
  const spki = await der("spki", publicKey);
  await writeWhole(`${path}.pub`, pem("PUBLIC KEY", spki));
  return spki.slice(-32).toHex();
}

/**
 * Reads a private key.
 *
 * @throws {LetheError} it is missing, readable for others than its user, or no Ed25519 key
 */
export async function readSigningKey(path: string): Promise<SigningKey> {
  const text = await readPlainText(path, { maxBytes: MAX_BYTES, remedy: REMEDY });
  const { mode } = await Deno.lstat(path);
  if (mode !== null && Deno.build.os !== "windows" && (mode & 0o077) !== 0) {
    throw new LetheError(
      `${path} has mode ${(mode & 0o777).toString(8)}`,
      "only its user may read a signing key",
      `chmod 600 ${path}, or make a new one if others have seen it`,
    );
  }
  try {
    const der = fromPem("PRIVATE KEY", text);
    const privateKey = await crypto.subtle.importKey("pkcs8", der, "Ed25519", true, ["sign"]);
    const { x } = await crypto.subtle.exportKey("jwk", privateKey);
    const publicKey = Uint8Array.fromBase64(x!, { alphabet: "base64url" }).toHex();
    return { privateKey, publicKey };
  } catch {
    // No cause: it might repeat the key.
    throw noKey(path, "private");
  }
}

/**
 * Finds the key to sign with, and reads it.
 *
 * @param given what `--signing-key` names; default {@link DEFAULT_SIGNING_KEY}, where it lies
 * @returns null: nobody signs
 * @throws {LetheError} it is missing where it is named, or no key
 */
export async function findSigningKey(given?: string): Promise<SigningKey | null> {
  if (given !== undefined) return await readSigningKey(given);
  const there = await Deno.lstat(DEFAULT_SIGNING_KEY).then(() => true, () => false);
  return there ? await readSigningKey(DEFAULT_SIGNING_KEY) : null;
}

/**
 * Reads a public key.
 *
 * @returns its 32 bytes in hexadecimal
 * @throws {UsageError} it is a private one
 * @throws {LetheError} it is missing, no Ed25519 key, or a weak one
 */
export async function readPublicKey(path: string): Promise<string> {
  const text = await readPlainText(path, { maxBytes: MAX_BYTES, remedy: REMEDY });
  let key: string | null = null;
  try {
    const der = fromPem("PUBLIC KEY", text).toHex();
    if (der.length === SPKI.length + 64 && der.startsWith(SPKI)) key = der.slice(SPKI.length);
  } catch { /* the same line for each way of not being a key */ }
  if (key === null) {
    if (!text.startsWith("-----BEGIN PRIVATE KEY-----")) throw noKey(path, "public");
    throw new UsageError(
      `${path} holds a private key`,
      "whoever has it signs in your name; to check a signature takes the public one",
      `name ${path}.pub, and hand out no other`,
    );
  }
  if (!isWeakKey(key)) return key;
  throw new LetheError(
    `${path} holds a weak public key`,
    "under a point of small order anybody's signature fits",
    "ask the signer for the key that they sign with",
  );
}

/** Signs bytes. @returns 64 bytes in hexadecimal */
export async function sign({ privateKey }: SigningKey, bytes: BufferSource): Promise<string> {
  return new Uint8Array(await crypto.subtle.sign("Ed25519", privateKey, bytes)).toHex();
}

/**
 * Points of the curve whose multiples are few (order 1, 2, 4 or 8), by their y, less the bit for x: under
 * such a key one signature fits many texts, so that anybody could have made it.
 */
const FEW_MULTIPLES = [
  "0000000000000000000000000000000000000000000000000000000000000000",
  "0100000000000000000000000000000000000000000000000000000000000000",
  "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
  "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
  "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
];
/** 2^255 - 19, little-endian: y is below it. */
const PRIME = 2n ** 255n - 19n;

/** Whether a public key is a point of small order, or not the one encoding of its point. */
export function isWeakKey(publicKey: string): boolean {
  const bytes = Uint8Array.fromHex(publicKey);
  bytes[31] &= 0x7f;
  const y = BigInt(`0x${bytes.toReversed().toHex()}`);
  return y >= PRIME || FEW_MULTIPLES.includes(bytes.toHex());
}

/**
 * Whether a signature is this key's, of these bytes. A key that is no point of the curve has none, nor has
 * a weak one.
 */
export async function isSignedBy(
  publicKey: string,
  signature: string,
  bytes: BufferSource,
): Promise<boolean> {
  try {
    if (isWeakKey(publicKey)) return false;
    const raw = Uint8Array.fromHex(publicKey);
    const key = await crypto.subtle.importKey("raw", raw, "Ed25519", false, ["verify"]);
    return await crypto.subtle.verify("Ed25519", key, Uint8Array.fromHex(signature), bytes);
  } catch {
    return false;
  }
}

function pem(kind: string, der: Uint8Array): string {
  return `-----BEGIN ${kind}-----\n${der.toBase64()}\n-----END ${kind}-----\n`;
}

/** @throws {SyntaxError} anything but one block of this kind */
function fromPem(kind: string, text: string): Uint8Array<ArrayBuffer> {
  const block = /^-----BEGIN ([A-Z ]+)-----\n([A-Za-z0-9+/=\s]*)-----END \1-----\s*$/.exec(text);
  if (block?.[1] !== kind) throw new SyntaxError("no such block");
  return Uint8Array.fromBase64(block[2].replace(/\s/g, ""));
}

function noKey(path: string, kind: string): LetheError {
  return new LetheError(`${path} holds no ${kind} key`, "it is an Ed25519 key in PEM", REMEDY);
}
