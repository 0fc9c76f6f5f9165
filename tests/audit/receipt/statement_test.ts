import { assertEquals, assertThrows } from "@std/assert";
import { bundleFromJSON } from "@sigstore/bundle";
import { toSignedEntity, Verifier } from "@sigstore/verify";
import { createPublicKey } from "node:crypto";
import { join } from "@std/path";
import { encodeReceipt } from "../../../lib/audit/receipt/receipt_file.ts";
import { receiptBundle, sealReceipt } from "../../../lib/audit/receipt/seal.ts";
import {
  isSignedBy,
  isWeakKey,
  newSigningKey,
  readPublicKey,
  readSigningKey,
} from "../../../lib/audit/receipt/signing_key.ts";
import { encodeStatement, preAuthentication } from "../../../lib/audit/receipt/statement.ts";
import { inTemporaryFolder } from "../../data/temporary_folder.ts";
import { smallReceipt } from "../small_receipt.ts";

/** Runs a test with a signed receipt's bundle and the signer's public key in PEM. */
const onBundle = (body: (bundle: string, pem: string) => Promise<void> | void) =>
  inTemporaryFolder(async (folder) => {
    const path = join(folder, "key");
    await newSigningKey(path);
    const receipt = await sealReceipt(smallReceipt(), await readSigningKey(path));
    await body(receiptBundle(receipt)!, await Deno.readTextFile(`${path}.pub`));
  });

/** Verifies a bundle as sigstore's own packages do, without a transparency log. */
function verifyBundle(text: string, pem: string): void {
  const publicKey = createPublicKey(pem);
  const verifier = new Verifier({
    ...{ certificateAuthorities: [], timestampAuthorities: [], tlogs: [], ctlogs: [] },
    publicKey: () => ({ publicKey, validFor: () => true }),
  }, { tlogThreshold: 0, ctlogThreshold: 0, tsaThreshold: 0 });
  verifier.verify(toSignedEntity(bundleFromJSON(JSON.parse(text))));
}

Deno.test("receiptBundle is a bundle that sigstore's packages verify, and refuse once it is changed", () =>
  onBundle(async (bundle, pem) => {
    verifyBundle(bundle, pem);
    const parsed = JSON.parse(bundle);
    const payload = atob(parsed.dsseEnvelope.payload);
    parsed.dsseEnvelope.payload = btoa(payload.replace('"unusual":false', '"unusual":true'));
    assertThrows(() => verifyBundle(JSON.stringify(parsed), pem));
    await inTemporaryFolder(async (folder) => {
      await newSigningKey(join(folder, "other"));
      const other = await Deno.readTextFile(join(folder, "other.pub"));
      assertThrows(() => verifyBundle(bundle, other));
    });
  }));

Deno.test("receiptBundle states, as in-toto has it, the files that were written and the receipt", () =>
  onBundle((bundle) => {
    const { dsseEnvelope } = JSON.parse(bundle);
    assertEquals(dsseEnvelope.payloadType, "application/vnd.in-toto+json");
    const statement = JSON.parse(atob(dsseEnvelope.payload));
    const { written, ...rest } = smallReceipt();
    assertEquals(statement._type, "https://in-toto.io/Statement/v1");
    assertEquals(
      statement.subject,
      written.map(({ file, sha256 }) => ({ name: file, digest: { sha256 } })),
    );
    const { signer: _, ...predicate } = statement.predicate;
    assertEquals(predicate, { ...rest, written });
  }));

Deno.test("receiptBundle is null for a receipt that nobody signed", async () => {
  const receipt = await sealReceipt(smallReceipt(), null);
  assertEquals(receiptBundle(receipt), null);
  assertEquals(JSON.parse(encodeReceipt(receipt)).signature, null);
});

Deno.test("preAuthentication is DSSE's: type and payload, each with its length in bytes", () => {
  const payload = encodeStatement([], "urn:x", { é: 1 });
  const text = new TextDecoder().decode(preAuthentication(payload));
  assertEquals(
    text,
    `DSSEv1 28 application/vnd.in-toto+json ${payload.length} ${new TextDecoder().decode(payload)}`,
  );
});

/** Little-endian y of every point of order 1, 2, 4 and 8, and encodings beyond the field. */
const WEAK = [
  "00".repeat(32),
  "01" + "00".repeat(31),
  "01" + "00".repeat(30) + "80",
  "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
  "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85",
  "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
  "ec" + "ff".repeat(30) + "7f",
  "ed" + "ff".repeat(30) + "7f",
  "ee" + "ff".repeat(30) + "ff",
];

Deno.test("isSignedBy takes no signature under a key of small order, where WebCrypto takes one", async () => {
  const bytes = new TextEncoder().encode("anything");
  const [identity, signature] = ["01" + "00".repeat(31), "01" + "00".repeat(63)];
  const raw = (hex: string) => Uint8Array.fromHex(hex);
  const key = await crypto.subtle.importKey("raw", raw(identity), "Ed25519", false, ["verify"]);
  const control = await crypto.subtle.verify("Ed25519", key, raw(signature), bytes);
  assertEquals(control, true, "the control: it fits every text");
  assertEquals(await isSignedBy(identity, signature, bytes), false);
  for (const weak of WEAK) assertEquals(isWeakKey(weak), true, weak);
});

Deno.test("readPublicKey refuses a weak key by name, and takes those that newSigningKey makes", () =>
  inTemporaryFolder(async (folder) => {
    const path = join(folder, "key");
    const made = await newSigningKey(path);
    assertEquals([await readPublicKey(`${path}.pub`), isWeakKey(made)], [made, false]);
    const der = Uint8Array.fromHex(`302a300506032b6570032100${WEAK[1]}`).toBase64();
    await Deno.writeTextFile(
      path + "2",
      `-----BEGIN PUBLIC KEY-----\n${der}\n-----END PUBLIC KEY-----\n`,
    );
    const error = await readPublicKey(path + "2").then(() => null, (error) => error);
    assertEquals(/holds a weak public key/.test(error?.message), true);
  }));
