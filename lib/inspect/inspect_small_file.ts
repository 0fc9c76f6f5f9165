import { readPublicKey } from "../audit/receipt/signing_key.ts";
import { readPlainFile } from "../files/plain_file.ts";
import { keyFingerprint, readIdentityKey } from "../model/kit/identity_key.ts";
import { headOf } from "../files/path_kind.ts";
import { facts } from "./known_files.ts";
import type { Inspected } from "./inspected.ts";

/** Keys and pages are smaller. */
const MAX_BYTES = 2 ** 22;
/** Bytes within which a page's title comes. */
const PAGE_HEAD = 2 ** 16;

/**
 * A key or a page, by how it begins; a secret is never shown.
 *
 * @returns null where it is neither, nor a report
 * @throws {LetheError} it cannot be read, or begins as a public key and is none
 */
export async function inspectSmallFile(path: string): Promise<Inspected | null> {
  // With pictures a report is larger than any key or other page.
  if (
    /\.html?$/i.test(path) && /: unlearning report<\/title>/.test(await headOf(path, PAGE_HEAD))
  ) {
    const what = "a benchmark's report: its tables and figures as one page";
    return facts("page", path, what, "open it in a browser; deno task report makes it anew");
  }
  if ((await Deno.stat(path)).size > MAX_BYTES) return null;
  const text = new TextDecoder().decode(await readPlainFile(path, { maxBytes: MAX_BYTES }));
  const one = (
    kind: Inspected["kind"],
    what: string,
    facts: Readonly<Record<string, string>> = {},
  ): Inspected => ({
    kind,
    path,
    rows: [["what", what], ...Object.entries(facts)],
    notes: [],
    value: { kind, what, ...facts },
  });
  if (text.startsWith("-----BEGIN PUBLIC KEY-----")) {
    const key = await readPublicKey(path);
    return one("public key", "a signer's public key: audit --verify RECEIPT --key FILE", { key });
  }
  if (text.startsWith("-----BEGIN PRIVATE KEY-----")) {
    return one("signing key", "a private key that signs receipts: secret, never hand it on");
  }
  if (/^[0-9a-f]{64}\s*$/.test(text)) {
    const fingerprint = keyFingerprint(await readIdentityKey(path));
    const what = "the secret key under which a kit knows people: keep it, never hand it on";
    return one("identity key", what, { fingerprint });
  }
  if (/<h1>Your request was served<\/h1>/.test(text)) {
    const receipt = /<dt>Receipt<\/dt><dd>SHA-256 ([0-9a-f]{64})</.exec(text)?.[1];
    const what = "a confirmation for one person of a run; the run's receipt proves it";
    return one("page", what, receipt === undefined ? {} : { receipt });
  }
  if (/<title>Receipt: [^<]*forgotten<\/title>/.test(text)) {
    return one("page", "a receipt for people; the receipt.json beside it is what is verified");
  }
  return null;
}
