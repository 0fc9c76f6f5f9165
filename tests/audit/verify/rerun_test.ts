import { assertEquals } from "@std/assert";
import { relativeDifference } from "../../../lib/audit/verify/rerun.ts";
import type { Weight } from "../../../lib/model/safetensors.ts";

const weights = (...values: number[]): Map<string, Weight> =>
  new Map([["a", { dtype: "F32", shape: [values.length], values: Float32Array.from(values) }]]);

Deno.test("relativeDifference is the largest difference over the largest change", () => {
  const [before, then] = [weights(1, 2, 3), weights(1, 4, 2)];
  assertEquals(relativeDifference(before, then, then), 0);
  assertEquals(relativeDifference(before, then, weights(1, 4, 2.5)), 0.25);
  assertEquals(relativeDifference(before, then, weights(0, 4, 2)), 0.5);
});

Deno.test("relativeDifference takes no NaN, other shape or other tensor for near", () => {
  const [before, then] = [weights(1, 2), weights(2, 2)];
  const others = [
    weights(NaN, 2),
    weights(2),
    new Map(),
    new Map([["b", weights(2, 2).get("a")!]]),
  ];
  for (const now of others) assertEquals(relativeDifference(before, then, now), Infinity);
  assertEquals(
    relativeDifference(before, before, then),
    Infinity,
    "nothing changed, and now it did",
  );
  assertEquals(relativeDifference(before, before, before), 0);
});
