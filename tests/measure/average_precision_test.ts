import { assertAlmostEquals, assertEquals, assertThrows } from "@std/assert";
import {
  averagePrecision,
  averagePrecisions,
  meanAveragePrecision,
} from "../../lib/measure/average_precision.ts";
import { Random } from "../../lib/random.ts";
import { goldenTest } from "./golden_methods.ts";

Deno.test("averagePrecision gives scikit-learn's documented value", () => {
  // Thresholds 0.8 (P 1, R 1/2) and 0.35 (P 2/3, R 1): 1/2 + 1/2 * 2/3.
  assertAlmostEquals(averagePrecision([0.1, 0.4, 0.35, 0.8], [0, 0, 1, 1])!, 5 / 6, 1e-15);
});

Deno.test("averagePrecisions gives scikit-learn's documented values for three classes", () => {
  const scores = [
    [0.7, 0.2, 0.1],
    [0.4, 0.3, 0.3],
    [0.1, 0.8, 0.1],
    [0.2, 0.3, 0.5],
    [0.4, 0.4, 0.2],
    [0.1, 0.2, 0.7],
  ].flat();
  const targets = [0, 0, 1, 1, 2, 2].flatMap((c) => [0, 1, 2].map((k) => c === k ? 1 : 0));
  // By hand: 1/2 + 1/2 * 2/3; 1/2 + 1/2 * 2/4 twice.
  const each = averagePrecisions(scores, targets, 3);
  [5 / 6, 3 / 4, 3 / 4].forEach((ap, c) => assertAlmostEquals(each[c]!, ap, 1e-15));
  assertAlmostEquals(meanAveragePrecision(scores, targets, 3), 7 / 9, 1e-15);
});

Deno.test("averagePrecision lets equal scores share a threshold, in any order", () => {
  // One threshold for all: precision is the prevalence.
  assertEquals(averagePrecision([1, 1, 1, 1], [1, 0, 0, 0]), 1 / 4);
  assertEquals(averagePrecision([1, 1, 1, 1], [0, 0, 0, 1]), 1 / 4);
  // 2 alone (P 0), then both ones together (P 1/3, R 1/2), then 0 (P 2/4, R 1).
  assertAlmostEquals(averagePrecision([1, 2, 1, 0], [1, 0, 0, 1])!, 1 / 6 + 1 / 4, 1e-15);
  assertAlmostEquals(averagePrecision([1, 2, 1, 0], [0, 0, 1, 1])!, 1 / 6 + 1 / 4, 1e-15);
  assertEquals(averagePrecision([0, -0], [1, 0]), 1 / 2);
});

Deno.test("averagePrecision is 1 for a perfect ranking and 1/n for one found last", () => {
  assertEquals(averagePrecision([-3, 5, Infinity], [0, 1, 1]), 1);
  assertEquals(averagePrecision([4, 3, 2, -Infinity], [0, 0, 0, 1]), 1 / 4);
});

Deno.test("averagePrecision has no value without a positive, and none for scores that are not numbers", () => {
  assertEquals(averagePrecision([0.2, 0.3], [0, 0]), null);
  assertEquals(averagePrecision([], []), null);
  assertEquals(averagePrecision([0.2, NaN, 0.1], [1, 0, 1]), NaN);
});

Deno.test("meanAveragePrecision leaves out labels without a positive; 0 when there is none", () => {
  const scores = [0.9, 0.1, 0.2, 0.8];
  assertEquals(meanAveragePrecision(scores, [1, 0, 0, 0], 2), 1);
  assertEquals(meanAveragePrecision(scores, [0, 1, 0, 0], 2), 1 / 2);
  assertEquals(meanAveragePrecision(scores, [0, 0, 0, 0], 2), 0);
});

goldenTest("meanAveragePrecision agrees with PyTorch's side on tied scores", (batch, expected) => {
  const { values, shape } = batch.get("ap.scores")!;
  const mean = meanAveragePrecision(values, batch.get("ap.targets")!.values, shape[1]);
  assertAlmostEquals(mean, expected.get("ap.macro")!.values[0], 1e-7);
});

Deno.test("averagePrecision ranks floats as it ranks numbers: ties, both zeros, infinities, negatives", () => {
  const random = new Random(5, "ranks");
  const special = [0, -0, Infinity, -Infinity, 1e-40, -1e-40, 65504, -1];
  for (let round = 0; round < 50; round++) {
    const scores = Float32Array.from({ length: 40 }, () => {
      const kind = random.integer(3);
      if (kind === 0) return special[random.integer(special.length)];
      return kind === 1 ? random.integer(5) - 2 : random.normal();
    });
    const targets = Array.from(scores, () => random.integer(2));
    assertEquals(averagePrecision(scores, targets), averagePrecision([...scores], targets));
  }
});

Deno.test("averagePrecision and its means refuse scores and targets of other numbers of rows", () => {
  const wrong: [number[], number[], number][] = [
    [[0.1, 0.9, 1], [0, 1, 1], 2], // half a row, which a loop over rows never ends at
    [[0.1, 0.9], [0, 1, 1, 0], 2],
    [[], [], 0],
    [[0.1], [1], NaN],
  ];
  for (const [scores, targets, labels] of wrong) {
    assertThrows(() => meanAveragePrecision(scores, targets, labels), RangeError, "row after row");
  }
  assertThrows(
    () => averagePrecision([0.1, 0.9, 0.3], [0, 1]),
    RangeError,
    "3 scores and 2 targets",
  );
  assertThrows(() => averagePrecision(new Float32Array(3), [0, 1]), RangeError);
});
