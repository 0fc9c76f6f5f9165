import { assert, assertEquals, assertMatch, assertStringIncludes, assertThrows } from "@std/assert";
import { encodeReceipt, parseReceipt } from "../../../lib/audit/receipt/receipt_file.ts";
import { sealReceipt } from "../../../lib/audit/receipt/seal.ts";
import { LetheError } from "../../../lib/error.ts";
import { escapeHtml, receiptPage } from "../../../lib/audit/receipt/receipt_page.ts";
import { hash, smallReceipt } from "../small_receipt.ts";

Deno.test("escapeHtml leaves no character that a browser or a reader's eye obeys", () => {
  assertEquals(escapeHtml("a<b>&\"'`"), "a&#60;b&#62;&#38;&#34;&#39;&#96;");
  assertEquals(escapeHtml("x\n\u202e\u2028y"), "x\\u{a}\\u{202e}\\u{2028}y");
});

Deno.test("receiptPage says how each layer came out, and which weights became which", async () => {
  const page = receiptPage(await sealReceipt(smallReceipt(), null));
  assertStringIncludes(page, "<h1>Receipt: 2 people forgotten</h1>");
  assertStringIncludes(page, "2026-01-02 03:04:05 UTC, for 3.3 s");
  assertStringIncludes(page, "1 layer of the proof held; 1 was absent and showed nothing.");
  assertStringIncludes(page, "Nobody signed it");
  for (const text of [hash("5"), hash("6"), "10 files, no link", "no training folder"]) {
    assertStringIncludes(page, text);
  }
  const failed = { layer: "trace", state: "failed", detail: "opened {training data}" } as const;
  const bad = receiptPage(await sealReceipt({ ...smallReceipt(), layers: [failed] }, null));
  assertStringIncludes(bad, "1 layer of the proof failed: this run proves nothing.");
  const none = receiptPage(await sealReceipt({ ...smallReceipt(), layers: [] }, null));
  assertStringIncludes(none, "No layer of the proof was there: this run shows nothing.");
});

Deno.test("receiptPage tells people and photographs apart, and parseReceipt takes no more people than photographs", async () => {
  const of = (people: number) => sealReceipt({ ...smallReceipt(), people }, null);
  const page = receiptPage(await of(1));
  assertStringIncludes(page, "<h1>Receipt: 1 person forgotten</h1>");
  assertStringIncludes(page, "1 person, 2 photographs in all; named nowhere here");
  assertEquals(parseReceipt(encodeReceipt(await of(1)), "r").people, 1);
  assertEquals(
    parseReceipt(encodeReceipt(await sealReceipt(smallReceipt(), null)), "r").people,
    undefined,
  );
  const more = encodeReceipt(await of(3));
  assertThrows(() => parseReceipt(more, "r"), LetheError, "people is 3");
});

Deno.test("receiptPage needs no network and runs no script, whatever a receipt holds", async () => {
  const hostile = `</style><script src="https://x.example/"></script><img onerror='a()' src=x>`;
  const { worker, ...rest } = smallReceipt();
  const page = receiptPage(
    await sealReceipt({
      ...rest,
      adapter: hostile,
      lethe: hostile,
      settings: { [hostile]: hostile },
      worker: {
        containment: worker.containment,
        argv: [hostile],
        permissions: [hostile],
        environment: { [hostile]: hostile },
      },
      packages: [{ name: hostile, sha256: hash("1") }],
      layers: [{ layer: hostile, state: "held", detail: hostile }],
    }, null),
  );
  const tags = new Set([...page.matchAll(/<\/?([a-z0-9]+)/gi)].map(([, tag]) => tag.toLowerCase()));
  for (const tag of ["script", "img", "link", "iframe", "object", "base", "form", "a"]) {
    assert(!tags.has(tag), tag);
  }
  assertEquals(page.match(/<style>/g)?.length, 1);
  assertEquals(page.match(/<\/style>/g)?.length, 1);
  assertMatch(page, /<meta http-equiv="Content-Security-Policy" content="default-src 'none'; /);
  assert(!/url\(|@import|https?:(?!\/\/x\.example)/.test(page));
  assertMatch(page, /@media \(prefers-color-scheme: dark\)/);
});
