import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { join } from "@std/path";
import { confirmationPage, photographsOf } from "../../../lib/audit/receipt/confirmation_page.ts";
import { readReceipt } from "../../../lib/audit/receipt/receipt_file.ts";
import { sealReceipt } from "../../../lib/audit/receipt/seal.ts";
import { LetheError } from "../../../lib/error.ts";
import { hash, smallReceipt } from "../small_receipt.ts";
import { onReceipt } from "../small_run.ts";

Deno.test("confirmationPage tells a person of their own photograph, and nothing of anybody else", async () => {
  const receipt = await sealReceipt(smallReceipt(), null);
  const page = confirmationPage(receipt, hash("d"), [hash("1")]);
  for (const text of [hash("1"), hash("5"), hash("6"), hash("d"), "2026-01-02 03:04 UTC"]) {
    assertStringIncludes(page, text);
  }
  assert(!page.includes(hash("2")), "another person's photograph");
  // A batch of another size reads the same.
  const { requests } = receipt;
  const alone = { ...receipt, requests: requests.slice(0, 1), people: 1 };
  assertEquals(confirmationPage(alone, hash("d"), [hash("1")]), page);
  assert(!/<script|https?:/.test(page));
  assert(!page.includes("Stated by the operator"));
  const stated = [
    [{ allowTrainingPhoto: true }, "that the model was trained on was read"],
    [{ matchCheck: false }, "not held against the people"],
    [{ branchReason: "Jane's was bad" }, "whom its other requests forgot"],
  ] as const;
  for (const [settings, text] of stated) {
    const of = { ...receipt, settings: { ...receipt.settings, ...settings } };
    const told = confirmationPage(of, hash("d"), [hash("1")]);
    assertStringIncludes(told, text);
    assert(!told.includes("Jane"), "a reason may be about somebody else");
  }
  const worker = { ...receipt.worker, environment: { LD_LIBRARY_PATH: "/opt/cuda/lib" } };
  const drivers = confirmationPage({ ...receipt, worker }, hash("d"), [hash("1")]);
  assertStringIncludes(drivers, "a folder of the user&#39;s own");
  assertStringIncludes(page, "who is on which is the operator's word");
});

Deno.test("photographsOf takes photographs of the run only, the same one once", () =>
  onReceipt(async (folder) => {
    const receipt = await readReceipt(join(folder, "unlearned/receipt.json"));
    const names = [];
    for await (const { name } of Deno.readDir(join(folder, "requests"))) {
      if (!name.endsWith(".csv")) names.push(join(folder, "requests", name));
    }
    const [one] = names;
    assertEquals((await photographsOf(receipt, [one, one])).length, 1);
    await Deno.writeTextFile(join(folder, "other.png"), "another");
    await assertRejects(
      () => photographsOf(receipt, [one, join(folder, "other.png")]),
      LetheError,
      "other.png is none of the photographs",
    );
  }));
