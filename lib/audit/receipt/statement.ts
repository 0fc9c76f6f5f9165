import { canonicalJson } from "../../files/canonical_json.ts";

/** A file by name and hash, as in-toto lists what a statement is about. */
export interface Subject {
  readonly name: string;
  readonly digest: { readonly sha256: string };
}

/** What DSSE signs of Lethe: in-toto statements. */
export const PAYLOAD_TYPE = "application/vnd.in-toto+json";

/**
 * An in-toto Statement v1 (https://github.com/in-toto/attestation) as the bytes that are signed: canonical
 * JSON, so that it can be made again from what it states.
 *
 * @param predicateType a URI that tells what `predicate` is
 */
export function encodeStatement(
  subject: readonly Subject[],
  predicateType: string,
  predicate: unknown,
): Uint8Array<ArrayBuffer> {
  const type = "https://in-toto.io/Statement/v1";
  const statement = { _type: type, subject, predicateType, predicate };
  return new TextEncoder().encode(canonicalJson(statement));
}

/** What DSSE signs in place of a payload alone: its type, and the lengths of both, before it (PAE, v1). */
export function preAuthentication(payload: Uint8Array): Uint8Array<ArrayBuffer> {
  const head = `DSSEv1 ${PAYLOAD_TYPE.length} ${PAYLOAD_TYPE} ${payload.length} `;
  const bytes = new Uint8Array(head.length + payload.length);
  bytes.set(new TextEncoder().encode(head));
  bytes.set(payload, head.length);
  return bytes;
}

/**
 * A signed statement as a sigstore bundle (version 0.3): the DSSE envelope and a hint of the key. Other
 * tools verify it with the signer's public key; there is no transparency log, and Lethe uses no network.
 *
 * @param signature 64 bytes in hexadecimal, over {@link preAuthentication}
 * @param signer the public key in hexadecimal
 * @returns the bundle's text
 */
export function encodeBundle(payload: Uint8Array, signature: string, signer: string): string {
  const bundle = {
    mediaType: "application/vnd.dev.sigstore.bundle.v0.3+json",
    verificationMaterial: {
      publicKey: { hint: signer },
      tlogEntries: [],
      timestampVerificationData: { rfc3161Timestamps: [] },
    },
    dsseEnvelope: {
      payload: payload.toBase64(),
      payloadType: PAYLOAD_TYPE,
      signatures: [{ sig: Uint8Array.fromHex(signature).toBase64(), keyid: signer }],
    },
  };
  return JSON.stringify(bundle, null, 2) + "\n";
}
