import { assertAlmostEquals, assertEquals, assertThrows } from "@std/assert";
import { type PairedLosses, rmiaScores } from "../../lib/measure/eq9_rmia.ts";
import { goldenTest } from "./golden_methods.ts";

/** Losses from probabilities, which are easier to follow by hand. */
function losses(target: number[], reference: number[]): PairedLosses {
  const loss = (p: number) => -Math.log(p);
  return { target: target.map(loss), reference: reference.map(loss) };
}

Deno.test("rmiaScores counts the z whose likelihood ratio stays below", () => {
  // a = 0.5: Pr = (1.5 p_ref + 0.5) / 2. For p_ref 1/3: 0.5; for p_ref 1: 1.
  const z = losses([0.2, 0.5, 0.9], [1 / 3, 1, 1]); // ratios 0.4, 0.5, 0.9
  const x = losses([0.3, 0.45, 0.1], [1 / 3, 1, 1]); // ratios 0.6, 0.45, 0.1
  assertEquals([...rmiaScores(x, z, { a: 0.5, gamma: 1 })], [2 / 3, 1 / 3, 0]);
  // gamma 1.3: 0.6 / 0.4 = 1.5 and 0.6 / 0.5 = 1.2; 0.45 / 0.4 = 1.125.
  assertEquals([...rmiaScores(x, z, { a: 0.5, gamma: 1.3 })], [1 / 3, 0, 0]);
});

Deno.test("rmiaScores counts a ratio of exactly gamma", () => {
  const z = { target: [0.25, 0.25], reference: [0.5, 0.75] };
  assertEquals([...rmiaScores({ target: [0.25], reference: [0.5] }, z)], [1 / 2]);
  assertEquals([...rmiaScores({ target: [0.25], reference: [0.75] }, z)], [1]);
});

Deno.test("rmiaScores tells images apart whose probabilities underflow", () => {
  const z = { target: [2000, 3000], reference: [2000, 2000] };
  const x = { target: [2500, 1500], reference: [2000, 2000] };
  for (const a of [0.3, 1]) assertEquals([...rmiaScores(x, z, { a, gamma: 1 })], [1 / 2, 1]);
});

Deno.test("rmiaScores refuses losses that are no numbers and settings out of range", () => {
  const one = { target: [1], reference: [1] };
  assertThrows(() => rmiaScores({ target: [NaN], reference: [1] }, one), RangeError, "NaN");
  assertThrows(() => rmiaScores({ target: [1, 2], reference: [1] }, one), RangeError);
  assertThrows(() => rmiaScores(one, { target: [], reference: [] }), RangeError, "at least one");
  assertThrows(() => rmiaScores(one, one, { a: 1.1, gamma: 1 }), RangeError, "a is 1.1");
  assertThrows(() => rmiaScores(one, one, { a: 0.3, gamma: 0 }), RangeError, "gamma is 0");
});

goldenTest("rmiaScores agrees with PyTorch's side on every image", (batch, expected) => {
  const pair = (of: string) => ({
    target: batch.get(`rmia.${of}.target`)!.values,
    reference: batch.get(`rmia.${of}.reference`)!.values,
  });
  for (const part of ["forget", "val"]) {
    const scores = rmiaScores(pair(part), pair("z"));
    const due = expected.get(`rmia.score.${part}`)!.values;
    scores.forEach((score, i) => assertAlmostEquals(score, due[i], 1e-7));
  }
});
