import { assertEquals, assertRejects } from "@std/assert";
import { fromFileUrl, join } from "@std/path";
import {
  makingReceiptPath,
  merkleRoot,
  writeMakingReceipt,
} from "../../../lib/audit/receipt/making_receipt.ts";
import {
  newSigningKey,
  readPublicKey,
  readSigningKey,
} from "../../../lib/audit/receipt/signing_key.ts";
import { readReceipt } from "../../../lib/audit/receipt/receipt_file.ts";
import { verifyChain } from "../../../lib/audit/verify/verify_chain.ts";
import { LetheError } from "../../../lib/error.ts";
import { writeModel } from "../../../lib/model/checkpoint.ts";
import { smallModel } from "../../model/small_kit.ts";
import { onReceipt, reseal } from "../small_run.ts";

const SPLIT = fromFileUrl(new URL("../../../fixtures/4832d1b/split.json", import.meta.url));

/** Runs a test on a model, its kit and a request from that, with their three receipts. */
const onChain = (body: (folder: string, chain: string[], key: string) => Promise<void>) =>
  onReceipt(async (folder) => {
    const [model, kit, key] = ["model", "kit", "key"].map((name) => join(folder, name));
    await writeModel(model, smallModel());
    const signer = await readSigningKey(key);
    await writeMakingReceipt("train", model, null, SPLIT, { seed: 0 }, signer);
    await writeMakingReceipt("meta-learn", kit, model, SPLIT, { seed: 0 }, signer);
    const chain = [makingReceiptPath(model), makingReceiptPath(kit)];
    await body(folder, [...chain, join(folder, "unlearned/receipt.json")], `${key}.pub`);
  });

const failed = async (...args: Parameters<typeof verifyChain>) =>
  (await verifyChain(...args)).filter(({ state }) => state === "failed").map(({ layer }) => layer);

Deno.test("verifyChain holds for a model, its kit and a request, by one key and one data set", () =>
  onChain(async (_, chain, key) => {
    const outcomes = await verifyChain(chain, await readPublicKey(key), SPLIT);
    assertEquals(outcomes.map(({ layer, state }) => [layer, state]), [
      ["model -> kit", "held"],
      ["kit -> request 1", "held"],
      ["signers", "held"],
      ["data", "held"],
    ]);
  }));

Deno.test("verifyChain finds another model, another kit, another signer and a changed receipt", () =>
  onChain(async (folder, [model, kit, run], key) => {
    const other = join(folder, "other");
    await newSigningKey(`${other}-key`);
    const weights = smallModel();
    weights.theta.get("head.bias")!.values[0] += 1;
    await writeModel(other, weights);
    await writeMakingReceipt("train", other, null, SPLIT, {}, await readSigningKey(`${other}-key`));
    const publicKey = await readPublicKey(key);
    const otherModel = [makingReceiptPath(other), kit, run];
    assertEquals(await failed(otherModel, undefined, undefined), ["model -> kit"]);
    assertEquals(await failed(otherModel, publicKey, undefined), ["model -> kit", "signers"]);
    const twice = [model, kit, run, run];
    assertEquals(await failed(twice, publicKey, undefined), ["request 1 -> request 2"]);
    const text = await Deno.readTextFile(kit);
    await Deno.writeTextFile(kit, text.replace('"seed": 0', '"seed": 1'));
    await assertRejects(
      () => verifyChain([model, kit, run], publicKey, SPLIT),
      LetheError,
      "signed",
    );
  }));

Deno.test("verifyChain names the receipt, the key and the kit that do not fit", () =>
  onChain(async (folder, [model, kit, run], key) => {
    await newSigningKey(join(folder, "other"));
    const publicKey = await readPublicKey(key);
    const other = await readPublicKey(join(folder, "other.pub"));
    const { kitId } = await readReceipt(run);
    const outcomes = await verifyChain([model, kit, run, run], other, undefined);
    const short = (hash: string) => `${hash.slice(0, 16)}..`;
    const detail = (named: string) => outcomes.find(({ layer }) => layer === named)!.detail;
    assertEquals(
      detail("signers"),
      `the model's receipt is signed with ${short(publicKey)}, the given key is ${short(other)}, ` +
        "and 3 more are not by the given key",
    );
    assertEquals(
      detail("request 1 -> request 2"),
      `it began with kit ${short(kitId!.before)}, and the one before left ${short(kitId!.after)}`,
    );
  }));

Deno.test("verifyChain passes over no run in which a layer failed or nobody was forgotten", () =>
  onChain(async (folder, [model, kit, run], key) => {
    const publicKey = await readPublicKey(key);
    const { layers, weights } = await readReceipt(run);
    const [{ before }, ...others] = [weights, ...layers];
    for (
      const changes of [
        { weights: { before, after: before } },
        { layers: [{ ...others[0], state: "failed" as const }, ...others.slice(1)] },
      ]
    ) {
      await reseal(folder, changes);
      assertEquals(await failed([model, kit, run], publicKey, SPLIT), ["kit -> request 1"]);
      await reseal(folder, { layers, weights });
      assertEquals(await failed([model, kit, run], publicKey, SPLIT), [], "the control");
    }
  }));

Deno.test("verifyChain refuses in one line what no canonical text can be made of", () =>
  onChain(async (_, [model, kit, run]) => {
    const text = await Deno.readTextFile(kit);
    for (const seed of ["1e999", '"\\ud800"']) {
      await Deno.writeTextFile(kit, text.replace('"seed": 0', `"seed": ${seed}`));
      await assertRejects(
        () => verifyChain([model, kit, run], undefined, undefined),
        LetheError,
        "settings is ",
      );
    }
  }));

Deno.test("merkleRoot changes with each file's name and content, and not with the order of files", () => {
  const [a, b, c] = ["a", "b", "c"].map((digit) => digit.repeat(64));
  const root = merkleRoot({ x: a, y: b, z: c });
  assertEquals(merkleRoot({ z: c, x: a, y: b }), root);
  const others: Record<string, string>[] = [
    { x: a, y: b },
    { x: a, y: b, z: b },
    { x: a, y: b, w: c },
    { x: b, y: a, z: c },
    {},
  ];
  assertEquals(new Set([root, ...others.map(merkleRoot)]).size, 6);
});
