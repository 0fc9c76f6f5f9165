import { assertEquals, assertStringIncludes } from "@std/assert";
import { copiesLayer } from "../../../lib/audit/layers/copies.ts";
import type { Split } from "../../../lib/data/split.ts";
import { newIdentityKey } from "../../../lib/model/kit/identity_key.ts";
import { trainingImageHash } from "../../../lib/model/kit/training_images.ts";
import { hash } from "../small_receipt.ts";

const SPLIT: Split = {
  version: 1,
  dataset: { name: "folder", task: "multi-label", labels: ["hat"] },
  seed: 0,
  forgetCount: 1,
  identities: { retain: ["a"], forget: ["b"], val: ["c"], test: ["d"] },
  support: { b: "b/1.png" },
  hashes: { "a/1.png": hash("1"), "b/1.png": hash("2"), "b/2.png": hash("3") },
};
const KEY = newIdentityKey();
const KIT = { key: KEY, trainingImages: new Set([trainingImageHash(KEY, hash("3"))]) };

Deno.test("copiesLayer holds for a support image and for a stranger's", () => {
  const { state, detail } = copiesLayer([hash("2"), hash("9")], { split: SPLIT, kit: KIT });
  assertEquals(state, "held");
  assertStringIncludes(detail, "none of 2 requests is one of 2 images of the split and 1 images");
});

Deno.test("copiesLayer fails for a photograph of the split or of the kit, and tells which", () => {
  const requests = [hash("9"), hash("3")];
  for (
    const [known, name] of [[{ split: SPLIT }, "the split"], [{ kit: KIT }, "the kit"]] as const
  ) {
    const { state, detail } = copiesLayer(requests, known);
    assertEquals(state, "failed");
    assertEquals(
      detail,
      `1 of 2 requests are photographs of the data set, as ${name} knows them: ` +
        `${hash("3").slice(0, 16)}..`,
    );
  }
});

Deno.test("copiesLayer fails for a support image that also lies in the data set under another name", () => {
  const split = { ...SPLIT, hashes: { ...SPLIT.hashes, "a/2.png": hash("2") } };
  assertEquals(copiesLayer([hash("2")], { split }).state, "failed");
});

Deno.test("copiesLayer recognises nothing under another key, and is absent without anything to compare", () => {
  const other = { ...KIT, key: newIdentityKey() };
  assertEquals(copiesLayer([hash("3")], { kit: other }).state, "held");
  assertEquals(copiesLayer([hash("3")], {}).state, "absent");
  const none = { split: { ...SPLIT, hashes: { "b/1.png": hash("2") } } };
  const empty = { ...KIT, trainingImages: new Set<string>() };
  assertEquals(copiesLayer([hash("3")], { ...none, kit: empty }).state, "absent");
  assertEquals(copiesLayer([hash("3")], { ...none, kit: KIT }).state, "failed");
});
