import { assertAlmostEquals, assertEquals } from "@std/assert";
import { cosine, warmUpCosine } from "../../lib/tensor/schedule.ts";

/** App. A's recipe, at five iterations per epoch. */
const PAPER = { learningRate: 1e-3, epochs: 30, warmUpEpochs: 2 };
const PER_EPOCH = 5;
const rate = (iteration: number) => warmUpCosine(PAPER, iteration, PER_EPOCH);

Deno.test("cosine goes from the base over its half to zero and stays there", () => {
  assertEquals(cosine(3, 0, 10), 3);
  assertAlmostEquals(cosine(3, 5, 10), 1.5, 1e-15);
  assertAlmostEquals(cosine(3, 10 / 3, 10), 3 * 0.75, 1e-15);
  assertEquals(cosine(3, 10, 10), 0);
  assertEquals(cosine(3, 12, 10), 0);
});

Deno.test("warmUpCosine rises by the same amount at each iteration of the first two epochs", () => {
  const rates = Array.from({ length: 10 }, (_, iteration) => rate(iteration));
  rates.forEach((value, i) => assertAlmostEquals(value, 1e-4 * (i + 1), 1e-18));
});

Deno.test("warmUpCosine holds the full rate for the epoch after the warm-up", () => {
  for (let iteration = 10; iteration < 15; iteration++) assertEquals(rate(iteration), 1e-3);
});

Deno.test("warmUpCosine changes between epochs only and counts them from the end of the warm-up", () => {
  for (let epoch = 2; epoch < 30; epoch++) {
    const expected = 1e-3 * (1 + Math.cos(Math.PI * (epoch - 2) / 30)) / 2;
    for (let i = 0; i < PER_EPOCH; i++) {
      assertAlmostEquals(rate(epoch * PER_EPOCH + i), expected, 1e-18);
    }
  }
});

Deno.test("warmUpCosine does not reach zero in the last epoch", () => {
  // T_max is 30 and only 27 of the steps are taken: (1 + cos 162 degrees) / 2.
  assertAlmostEquals(rate(30 * PER_EPOCH - 1), 1e-3 * 0.0244717418524232, 1e-15);
});

Deno.test("warmUpCosine without a warm-up starts at the full rate", () => {
  const recipe = { learningRate: 0.5, epochs: 4, warmUpEpochs: 0 };
  assertEquals(warmUpCosine(recipe, 0, 3), 0.5);
  assertAlmostEquals(warmUpCosine(recipe, 6, 3), 0.25, 1e-15);
});
