import { assertEquals, assertThrows } from "@std/assert";
import { LetheError } from "../../lib/error.ts";
import type { Weight } from "../../lib/model/safetensors.ts";
import { type WeightChange, weightChange } from "../../lib/model/weight_change.ts";
import { judgeStep } from "../../lib/unlearn/judge_step.ts";

const weights = (tensors: Record<string, number[]>): Map<string, Weight> =>
  new Map(
    Object.entries(tensors).map(([name, values]) => [
      name,
      { dtype: "F32", shape: [values.length], values: Float32Array.from(values) },
    ]),
  );

Deno.test("weightChange gives each tensor's change, and all together as a share of the weights", () => {
  const before = weights({ b: [3, 4], a: [0, 0] });
  const { relative, norms } = weightChange(before, weights({ b: [3, 4], a: [0.6, 0.8] }));
  assertEquals(Object.keys(norms), ["a", "b"]);
  assertEquals([norms.b, Math.round(1e6 * norms.a), Math.round(1e6 * relative)], [0, 1e6, 2e5]);
  assertEquals(weightChange(before, weights({ b: [3, NaN], a: [0, 0] })).relative, NaN);
  // The least step that a float32 can make is a change.
  const least = weightChange(before, weights({ b: [3, 4], a: [2 ** -149, 0] }));
  assertEquals(least.relative > 0, true);
});

const moved = (relative: number): WeightChange => ({ relative, norms: { a: relative } });
const RANGE = { requests: 8, heldOut: true, low: 1e-3, high: 1e-2 };

Deno.test("judgeStep refuses a step that changes nothing or leaves no numbers, whatever is allowed", () => {
  for (const range of [undefined, RANGE]) {
    for (const [relative, message] of [[0, "forgets nobody"], [NaN, "not finite"]] as const) {
      assertThrows(() => judgeStep(moved(relative), range, 1, true), LetheError, message);
    }
  }
});

Deno.test("judgeStep refuses steps far beside what simulated requests showed, unless they are allowed", () => {
  for (const usual of [1e-3, 1e-2, 2e-4, 9e-2]) {
    assertEquals(judgeStep(moved(usual), RANGE, 1, false).unusual, false);
  }
  for (const unusual of [9e-5, 0.2, Infinity]) {
    assertThrows(() => judgeStep(moved(unusual), RANGE, 1, false), LetheError);
  }
  assertEquals(judgeStep(moved(0.2), RANGE, 1, true).unusual, true);
  assertThrows(
    () => judgeStep(moved(0.2), RANGE, 1, false, 2),
    LetheError,
    "these were simulated before the kit's 2 requests",
  );
  // Two steps may go twice as far.
  assertEquals(judgeStep(moved(0.2), RANGE, 2, false).unusual, false);
});

Deno.test("judgeStep holds a kit without a range to what float32 can tell", () => {
  assertEquals(judgeStep(moved(1e-6), undefined, 1, false), { unusual: null });
  assertThrows(() => judgeStep(moved(1e-8), undefined, 1, false), LetheError, "rounds away");
  assertEquals(judgeStep(moved(1e-8), undefined, 1, true), { unusual: true });
});
