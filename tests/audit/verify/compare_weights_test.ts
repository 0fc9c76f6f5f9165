import { assert, assertEquals } from "@std/assert";
import { compareWeights } from "../../../lib/audit/verify/compare_weights.ts";
import type { Weight } from "../../../lib/model/safetensors.ts";

/** Tensors by name. */
const weights = (tensors: Record<string, number[]>): Map<string, Weight> =>
  new Map(
    Object.entries(tensors).map(([name, values]) => [
      name,
      { dtype: "F32", shape: [values.length], values: Float32Array.from(values) },
    ]),
  );

Deno.test("compareWeights measures each tensor by its own change, in the rerun", () => {
  const before = weights({ big: [0, 0], small: [0, 0] });
  const then = weights({ big: [100, 100], small: [0.01, 0.01] });
  assertEquals(compareWeights(before, then, then), {
    ...{ near: true, rms: 0, most: 0, tensor: "big" },
  });
  // As a share of the largest change of all it would be 1e-4.
  const { near, most, tensor } = compareWeights(
    before,
    then,
    weights({ big: [100, 100], small: [0.02, 0.01] }),
  );
  assertEquals([near, tensor], [false, "small"]);
  assert(Math.abs(most - 0.5) < 1e-3);
  // One huge step in the receipt's run makes nothing else look near.
  const huge = weights({ big: [1e9, 100], small: [0.02, 0.01] });
  assertEquals(compareWeights(before, huge, then).near, false);
});

Deno.test("compareWeights lets rounding pass, and not what is hidden below the largest number", () => {
  const before = weights({ a: [1, 1e-3, 0] });
  const now = weights({ a: [1.5, 2e-3, 1] });
  const ulp = 2 ** -23;
  assertEquals(compareWeights(before, weights({ a: [1.5 + 2 * ulp, 2e-3, 1] }), now).near, true);
  const hidden = weights({ a: [1.5, 2e-3 + 0.1, 1] });
  assertEquals(compareWeights(before, hidden, now).near, false);
  // Spread over many numbers, each small against the largest change: the root mean square tells.
  const many = (value: number) => weights({ a: Array.from({ length: 1000 }, () => value) });
  const apart = compareWeights(many(0), many(1.005), many(1));
  assertEquals([apart.near, apart.most < 1e-2], [false, true]);
});

Deno.test("compareWeights takes no NaN, other shape, other tensor or lone change for near", () => {
  const [before, then] = [weights({ a: [1, 2] }), weights({ a: [2, 2] })];
  const others = [
    weights({ a: [NaN, 2] }),
    weights({ a: [2] }),
    weights({}),
    weights({ b: [2, 2] }),
    weights({ a: [2, 2], b: [1] }),
    before,
  ];
  for (const now of others) assertEquals(compareWeights(before, then, now).near, false);
  assertEquals(compareWeights(before, before, then).near, false);
  assertEquals(compareWeights(before, before, before).near, true);
});
