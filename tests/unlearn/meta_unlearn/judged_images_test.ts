import { assertAlmostEquals, assertEquals } from "@std/assert";
import {
  intervalOf,
  joined,
  type Judged,
  pick,
  type Populations,
} from "../../../lib/unlearn/meta_unlearn/judged_images.ts";

/** Images of one label each; the logit is the value. */
const judged = (values: readonly number[], from = 0): Judged => ({
  indices: values.map((_, i) => from + i),
  logits: Float32Array.from(values),
});
const mean = ({ logits }: Judged) => logits.reduce((a, b) => a + b, 0) / logits.length;
const alone = (count: number, from = 0) =>
  new Map(Array.from({ length: count }, (_, i) => [from + i, i] as const));

Deno.test("pick and joined keep each image's row", () => {
  const two: Judged = { indices: [7, 8], logits: Float32Array.of(1, 2, 3, 4) };
  assertEquals(pick(two, [1, 1, 0]).logits, Float32Array.of(3, 4, 3, 4, 1, 2));
  assertEquals(pick(two, [1, 1, 0]).indices, [8, 8, 7]);
  assertEquals(joined([two, pick(two, [1])]).logits, Float32Array.of(1, 2, 3, 4, 3, 4));
});

Deno.test("intervalOf a mean of one image each is 1.96 standard errors to either side", () => {
  const values = [0.25, 0.5, 0.5, 0.75, 0.5];
  const populations: Populations = {
    forget: [judged(values)],
    retain: [judged([0, 0])],
    val: [judged([0, 0])],
  };
  const owners = { forget: alone(5), retain: alone(2), val: alone(2) };
  const { low, high } = intervalOf(populations, owners, 0.5, ({ forget }) => ({
    tugOfWar: mean(forget[0]),
  }))!;
  const variance = values.reduce((sum, x) => sum + (x - 0.5) ** 2, 0) / (5 * 4);
  assertAlmostEquals(low, 0.5 - 1.96 * Math.sqrt(variance), 1e-12);
  assertAlmostEquals(high, 0.5 + 1.96 * Math.sqrt(variance), 1e-12);
});

Deno.test("intervalOf leaves out people whole, and adds the populations' variances", () => {
  const spread = [0.2, 0.8, 0.2, 0.8];
  const populations: Populations = {
    forget: [judged(spread)],
    retain: [judged(spread), judged(spread)],
    val: [judged([0, 0])],
  };
  const estimate = ({ forget, retain }: Populations) => ({
    tugOfWar: (mean(forget[0]) + mean(retain[1])) / 2,
  });
  const width = (owners: Parameters<typeof intervalOf>[1]) => {
    const { low, high } = intervalOf(populations, owners, 0.5, estimate)!;
    return high - low;
  };
  const each = { forget: alone(4), retain: alone(4), val: alone(2) };
  // Two people whose images are like each other: fewer, and further apart.
  const pairs = new Map([[0, 0], [2, 0], [1, 1], [3, 1]]);
  const one = 2 * 1.96 * Math.sqrt(0.36 / (4 * 3) / 4);
  assertAlmostEquals(width(each), one * Math.SQRT2, 1e-6);
  const two = 2 * 1.96 * Math.sqrt(0.18 / 2 / 4);
  assertAlmostEquals(width({ ...each, forget: pairs }), Math.hypot(one, two), 1e-6);
});

Deno.test("intervalOf is undefined where one person is all there is", () => {
  const populations = { forget: [judged([1])], retain: [judged([1, 0])], val: [judged([1, 0])] };
  const owners = { forget: alone(1), retain: alone(2), val: alone(2) };
  assertEquals(intervalOf(populations, owners, 0.5, () => ({ tugOfWar: 1 })), undefined);
});
