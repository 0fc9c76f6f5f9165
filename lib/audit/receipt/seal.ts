import { canonicalJson } from "../../files/canonical_json.ts";
import { PREDICATE_TYPE, type Receipt } from "./receipt.ts";
import { isSignedBy, sign, type SigningKey } from "./signing_key.ts";
import { encodeBundle, encodeStatement, preAuthentication } from "./statement.ts";

/** Signs a receipt; without a key it says in its own fields that nobody signed it. */
export async function sealReceipt(
  receipt: Omit<Receipt, "signer" | "signature">,
  key: SigningKey | null,
): Promise<Receipt> {
  if (key === null) return { ...receipt, signer: null, signature: null };
  const signed = { ...receipt, signer: key.publicKey };
  return { ...signed, signature: await sign(key, signedBytes(signed)) };
}

/** Whether the receipt carries this key's signature of all that it says. */
export async function isSealedBy(receipt: Receipt, publicKey: string): Promise<boolean> {
  const { signature, ...signed } = receipt;
  return signature !== null && receipt.signer === publicKey &&
    await isSignedBy(publicKey, signature, signedBytes(signed));
}

function signedBytes(signed: Omit<Receipt, "signature">): Uint8Array<ArrayBuffer> {
  return signed.version === 1
    ? new TextEncoder().encode(`lethe receipt 1\n${canonicalJson(signed)}`)
    : preAuthentication(statementOf(signed));
}

function statementOf(signed: Omit<Receipt, "signature">): Uint8Array<ArrayBuffer> {
  const subject = signed.written.map(({ file, sha256 }) => ({ name: file, digest: { sha256 } }));
  return encodeStatement(subject, PREDICATE_TYPE, signed);
}

/** The text of `receipt.sigstore.json`; null for a receipt that nobody signed, and in version 1. */
export function receiptBundle({ signature, ...signed }: Receipt): string | null {
  if (signature === null || signed.signer === null || signed.version === 1) return null;
  return encodeBundle(statementOf(signed), signature, signed.signer);
}
