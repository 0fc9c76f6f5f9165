import { assertAlmostEquals, assertEquals } from "@std/assert";
import { requestFactor } from "../../../lib/unlearn/memory/request_scale.ts";

const SCALES = [{ people: 1, factor: 4 }, { people: 5, factor: 2 }, { people: 20, factor: 1 }];

Deno.test("requestFactor is what was tried where it was, and between sizes lies between their factors", () => {
  assertEquals([1, 5, 20].map((people) => requestFactor(SCALES, people)), [4, 2, 1]);
  // The geometric mean at the geometric mean of the sizes.
  assertAlmostEquals(requestFactor(SCALES, 10), Math.SQRT2, 1e-12);
});

Deno.test("requestFactor stays beyond the sizes that were tried, and is 1 in kits that know one scale", () => {
  assertEquals(requestFactor(SCALES, 1000), 1);
  assertEquals(requestFactor(SCALES.slice(1), 2), 2);
  assertEquals(requestFactor([], 7), 1);
});
