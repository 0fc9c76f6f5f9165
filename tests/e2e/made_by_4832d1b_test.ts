import { assert, assertEquals, assertRejects } from "@std/assert";
import { fromFileUrl, join } from "@std/path";
import { readReceipt } from "../../lib/audit/receipt/receipt_file.ts";
import { compareWeights } from "../../lib/audit/verify/compare_weights.ts";
import { readPublicKey } from "../../lib/audit/receipt/signing_key.ts";
import { verifyReceipt } from "../../lib/audit/verify/verify_receipt.ts";
import { readSplit } from "../../lib/data/split_file.ts";
import { LetheError } from "../../lib/error.ts";
import { readModel } from "../../lib/model/checkpoint.ts";
import { readKit } from "../../lib/model/kit/read_kit.ts";
import { unlearnRequests } from "../../lib/run/unlearn_requests.ts";
import { openDevice } from "../../lib/tensor/device.ts";
import { inTemporaryFolder } from "../data/temporary_folder.ts";
import { copy } from "./small_path.ts";

// Kits and receipts cannot be made anew once the data are gone, so what commit 4832d1b wrote must stay
// good: `kit` (SSD's and PGU's statistics, learned step sizes), its key and the note that it was used,
// `unlearned` (an audited run, signed) and `second` (the next request from `unlearned/kit`, by SSD,
// without evidence or signature). fixtures/README.md says how they were made.
const FIXTURE = fromFileUrl(new URL("../../fixtures/4832d1b", import.meta.url));

/** Runs a body in a copy of the fixture. */
const inFixture = (body: (folder: string) => Promise<void>) =>
  inTemporaryFolder(async (folder) => {
    await copy(FIXTURE, join(folder, "made"));
    await body(join(folder, "made"));
  });

Deno.test("readKit reads kits of commit 4832d1b, as meta-learned and after one and two requests", async () => {
  const kits = await Promise.all(
    ["kit", "unlearned/kit", "second/kit"].map((name) => readKit(join(FIXTURE, name))),
  );
  assertEquals(kits.map(({ manifest }) => manifest.generation), [0, 1, 2]);
  assertEquals(kits.map(({ manifest }) => manifest.identities.length), [10, 8, 7]);
  for (const { statistics, logStepSizes, trainingImages } of kits) {
    assert(statistics?.importances && statistics.covariances && logStepSizes);
    assertEquals(trainingImages?.size, 36);
  }
});

Deno.test("readSplit reads a split of commit 4832d1b", async () => {
  assertEquals((await readSplit(join(FIXTURE, "split.json"))).identities.forget.length, 3);
});

Deno.test("unlearnRequests forgets from a kit of commit 4832d1b what was forgotten then", () =>
  inFixture(async (made) => {
    const device = await openDevice("wasm");
    const run = { device, kit: join(made, "kit"), support: join(made, "requests") };
    await assertRejects(
      () => unlearnRequests({ ...run, out: join(made, "refused") }),
      LetheError,
      "has a successor",
    );
    await unlearnRequests({ ...run, out: join(made, "again"), branch: true });
    const [before, then, now] = await Promise.all(
      ["kit", "unlearned/model", "again/model"].map((name) => readModel(join(made, name))),
    );
    assertEquals(compareWeights(before.theta, then.theta, now.theta).near, true);
  }));

Deno.test("unlearnRequests goes on from the next kit that commit 4832d1b wrote", () =>
  inFixture(async (made) => {
    const { weights } = await unlearnRequests({
      device: await openDevice("wasm"),
      kit: join(made, "unlearned/kit"),
      support: join(made, "second-requests"),
      out: join(made, "again"),
      branch: true,
    });
    assert(weights.before !== weights.after);
  }));

/** The checks of a receipt by their state. */
async function verify(made: string, folder: string, publicKey?: string) {
  const { checks } = await verifyReceipt({
    receipt: join(made, folder, "receipt.json"),
    ...(publicKey === undefined ? {} : { publicKey }),
  });
  const named = (state: string) =>
    checks.filter((check) => check.state === state).map(({ layer }) => layer);
  return { held: named("held"), failed: named("failed"), absent: named("absent") };
}

Deno.test("verifyReceipt verifies receipts of commit 4832d1b, signed and unsigned", () =>
  inFixture(async (made) => {
    const key = await readPublicKey(join(made, "signer.pub"));
    const signed = await verify(made, "unlearned", key);
    assertEquals(signed.failed, []);
    for (const check of ["signature", "layers", "outputs", "weights", "next kit", "evidence"]) {
      assert(signed.held.includes(check), check);
    }
    const unsigned = await verify(made, "second");
    assertEquals(unsigned.failed, []);
    assert(unsigned.absent.includes("signature") && unsigned.held.includes("weights"));
  }));

Deno.test("verifyReceipt finds what was changed in a receipt of commit 4832d1b", () =>
  inFixture(async (made) => {
    const key = await readPublicKey(join(made, "signer.pub"));
    const path = join(made, "unlearned/receipt.json");
    assertEquals((await readReceipt(path)).version, 1);
    const text = await Deno.readTextFile(path);
    await Deno.writeTextFile(path, text.replace('"adapter": "WASM', '"adapter": "wasm'));
    assert((await verify(made, "unlearned", key)).failed.includes("signature"));
    await Deno.writeTextFile(path, text);
    await Deno.writeTextFile(join(made, "unlearned/model/config.json"), "{}");
    assertEquals((await verify(made, "unlearned", key)).failed, ["outputs"]);
  }));
