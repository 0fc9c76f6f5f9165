import { assertEquals, assertThrows } from "@std/assert";
import { resampledRoc } from "../../lib/measure/resampled_roc.ts";
import { areaUnderRoc, truePositiveRates } from "../../lib/measure/roc.ts";
import { Random } from "../../lib/random.ts";

const RATES = [0, 1e-4, 1 / 70, 0.29, 0.5, 0.999, 1];

/** Each score as often as it is counted. */
const repeated = (scores: readonly number[], times: readonly number[]) =>
  scores.flatMap((score, i) => Array<number>(times[i]).fill(score));

Deno.test("resampledRoc gives the bits of areaUnderRoc and truePositiveRates on repeated images", () => {
  const random = new Random(4, "scores");
  for (const levels of [1, 3, 17, 2 ** 30]) { // few levels make many ties
    const drawn = (n: number) =>
      Array.from({ length: n }, () => random.integer(levels) / levels - 0.5);
    const [members, others] = [drawn(40), drawn(70)];
    const rocOf = resampledRoc(members, others);
    for (let draw = 0; draw < 20; draw++) {
      const [a, b] = [members, others].map((scores) => scores.map(() => random.integer(4)));
      a[0] = b[0] = 1; // neither group is left empty
      const { auc, truePositiveRates: rates } = rocOf(a, b);
      const [inside, outside] = [repeated(members, a), repeated(others, b)];
      assertEquals(auc, areaUnderRoc(inside, outside));
      assertEquals(rates(RATES), truePositiveRates(inside, outside, RATES));
    }
  }
});

Deno.test("resampledRoc refuses an empty group", () => {
  assertThrows(() => resampledRoc([], [1]), RangeError, "0 members");
});
