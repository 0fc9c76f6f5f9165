import { assert, assertEquals, assertThrows } from "@std/assert";
import { join } from "@std/path";
import {
  encodeReceipt,
  parseReceipt,
  readReceipt,
} from "../../../lib/audit/receipt/receipt_file.ts";
import { isSealedBy, sealReceipt } from "../../../lib/audit/receipt/seal.ts";
import { newSigningKey, readSigningKey } from "../../../lib/audit/receipt/signing_key.ts";
import { LetheError } from "../../../lib/error.ts";
import { inTemporaryFolder } from "../../data/temporary_folder.ts";
import { hash, smallReceipt } from "../small_receipt.ts";

/** Calls a function on every value within a JSON value, with a way to replace it. */
function everyField(
  value: unknown,
  visit: (field: unknown, replace: (by: unknown) => void) => void,
): void {
  if (typeof value !== "object" || value === null) return;
  const record = value as Record<string, unknown>;
  for (const name of Object.keys(record)) {
    visit(record[name], (by) => record[name] = by);
    everyField(record[name], visit);
  }
}

Deno.test("isSealedBy holds for the receipt that was signed and for none that differs in a field", () =>
  inTemporaryFolder(async (folder) => {
    const publicKey = await newSigningKey(join(folder, "key"));
    const key = await readSigningKey(join(folder, "key"));
    const sealed = await sealReceipt(smallReceipt(), key);
    assert(await isSealedBy(sealed, publicKey));
    assert(!await isSealedBy(sealed, hash("b")));

    const copy = structuredClone(sealed);
    const changes: [unknown, (by: unknown) => void][] = [];
    everyField(copy, (field, replace) => changes.push([field, replace]));
    let leaves = 0;
    for (const [field, replace] of changes) {
      if (typeof field === "object" && field !== null) continue;
      replace(typeof field === "number" ? field + 1 : typeof field === "string" ? `${field}0` : 0);
      assert(!await isSealedBy(copy, publicKey), `${field} may not change`);
      replace(field);
      leaves++;
    }
    assert(leaves > 50);
    assert(await isSealedBy(copy, publicKey), "all changes are undone");
  }));

Deno.test("isSealedBy does not depend on how the receipt is laid out", () =>
  inTemporaryFolder(async (folder) => {
    const publicKey = await newSigningKey(join(folder, "key"));
    const sealed = await sealReceipt(smallReceipt(), await readSigningKey(join(folder, "key")));
    const turned = Object.fromEntries(Object.entries(sealed).reverse());
    assert(await isSealedBy(parseReceipt(JSON.stringify(turned), "r"), publicKey));
  }));

Deno.test("sealReceipt without a key gives a receipt that nobody sealed", async () => {
  const receipt = await sealReceipt(smallReceipt(), null);
  assertEquals([receipt.signer, receipt.signature], [null, null]);
  assert(!await isSealedBy(receipt, hash("b")));
});

Deno.test("readReceipt gives back what encodeReceipt wrote", () =>
  inTemporaryFolder(async (folder) => {
    const path = join(folder, "receipt.json");
    for (const changes of [{}, { requestTable: null, split: null, layers: [], evidence: [] }]) {
      const receipt = await sealReceipt({ ...smallReceipt(), ...changes }, null);
      await Deno.writeTextFile(path, encodeReceipt(receipt));
      assertEquals(await readReceipt(path), receipt);
    }
  }));

/** Changes to a valid receipt, and what the error says. */
const WRONG: [Record<string, unknown>, string][] = [
  [{ version: 3 }, "is a receipt of version 3; this Lethe reads versions 1 to 2"],
  [{ auditorNonce: "xyz" }, "auditorNonce is "],
  [{ kitId: { before: hash("1") } }, "kitId: after is missing"],
  [{ change: { relative: -1, norms: {}, unusual: null } }, "change: relative is -1"],
  [{ nonce: "n" }, 'nonce is "n"; it is 64 lower-case'],
  [{ started: "yesterday" }, "started is "],
  [{ started: "2026-13-02T03:04:05.678Z" }, "started is "],
  [{ started: "2026-02-31T03:04:05.678Z" }, "started is "],
  [{ adapter: "\ud800" }, "adapter is "],
  [{ settings: { "\udfff": 1 } }, "settings is "],
  [{ requests: [] }, "requests is empty"],
  [{ photograph: "AAAA" }, '"photograph" is unknown'],
  [{ requests: [{ file: "jane.png", sha256: hash("1"), bytes: 1 }] }, '"file" is unknown'],
  [{ requests: {} }, "requests is {}; "],
  [{ kit: [{ file: "../key", sha256: hash("1"), bytes: 1 }] }, 'kit[0]: file is "../key"'],
  [{ written: [{ file: "/etc/passwd", sha256: hash("1"), bytes: 1 }] }, "written[0]: file is "],
  [{ written: [{ file: "a/./b", sha256: hash("1"), bytes: 1 }] }, "written[0]: file is "],
  [{ written: [{ file: "a\\b", sha256: hash("1"), bytes: 1 }] }, "written[0]: file is "],
  [{ evidence: [{ file: "a", sha256: hash("1"), bytes: -1 }] }, "bytes is -1"],
  [{ evidence: [{ file: "a", sha256: hash("1"), bytes: 0.5 }] }, "bytes is 0.5"],
  [
    { code: ["a.ts", "A.ts"].map((file) => ({ file, sha256: hash("1"), bytes: 1 })) },
    "code lists a.ts twice",
  ],
  [{ weights: { before: hash("1") } }, "weights: after is missing"],
  [{ settings: { a: [] } }, "settings is "],
  [{ layers: [{ layer: "a", state: "passed", detail: "b" }] }, 'layers[0]: state is "passed"'],
  [{ layers: [{ layer: "a", state: "held", detail: "b\nc" }] }, "layers[0]: detail is "],
  [
    { worker: { ...smallReceipt().worker, argv: ["\u001b[2J"] } },
    'worker: argv is ["\\u001b[2J"]',
  ],
  [{ worker: null }, "worker is null"],
  [{ signature: "ab".repeat(64) }, "one of signer and signature is null"],
  [{ signer: hash("1") }, "one of signer and signature is null"],
];
for (const [changes, message] of WRONG) {
  Deno.test(`parseReceipt refuses a receipt in which ${message.trim()}`, async () => {
    const receipt = await sealReceipt(smallReceipt(), null);
    assertThrows(
      () => parseReceipt(JSON.stringify({ ...receipt, ...changes }), "receipt.json"),
      LetheError,
      message,
    );
  });
}

Deno.test("parseReceipt refuses a number that has no text of its own", async () => {
  const text = encodeReceipt(await sealReceipt(smallReceipt(), null));
  const huge = text.replace('"microBatch": 16', '"microBatch": 1e999');
  assertThrows(() => parseReceipt(huge, "receipt.json"), LetheError, "settings is ");
});

Deno.test("parseReceipt refuses what is no JSON object, and a field given twice", async () => {
  const text = encodeReceipt(await sealReceipt(smallReceipt(), null));
  for (const broken of ["", "[]", "null", text.slice(0, -10), "\ufeff" + text]) {
    assertThrows(() => parseReceipt(broken, "receipt.json"), LetheError, "JSON");
  }
  const twice = text.replace("{", '{ "nonce": "",');
  assertThrows(() => parseReceipt(twice, "receipt.json"), LetheError, 'names "nonce" twice');
});

// Attack 10: each file was looked for among all others, 80,000 of them for 26 s.
Deno.test("parseReceipt takes as much longer as a receipt has more entries, not its square", async () => {
  const files = Array.from({ length: 20_000 }, (_, i) => `f${String(i).padStart(6, "0")}`);
  const code = files.map((file) => ({ file, sha256: hash("0"), bytes: 1 }));
  const text = JSON.stringify({ ...await sealReceipt(smallReceipt(), null), code });
  // The least of three: the machine may be busy with other things.
  let taken = Infinity;
  let begun = 0;
  for (let i = 0; i < 3; i++) {
    begun = performance.now();
    assertEquals(parseReceipt(text, "r").code.length, files.length);
    taken = Math.min(taken, performance.now() - begun);
  }
  begun = performance.now();
  // The control, by turns on the same machine: the square alone, without reading anything.
  const twice = files.find((file, i) => files.findIndex((other) => other === file) !== i);
  assertEquals(twice, undefined);
  const square = performance.now() - begun;
  assert(taken < square / 2, `${taken} ms, where the square takes ${square} ms`);
});
