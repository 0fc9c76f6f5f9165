import { assert, assertAlmostEquals, assertEquals, assertThrows } from "@std/assert";
import { clusteredInterval, clusteredIntervals } from "../../lib/measure/bootstrap.ts";
import { Random } from "../../lib/random.ts";

/** The mean of a value over the images of a resample. */
function mean(drawn: Float64Array, value: (position: number) => number): number {
  let [sum, images] = [0, 0];
  drawn.forEach((times, position) => {
    sum += times * value(position);
    images += times;
  });
  return sum / images;
}

Deno.test("clusteredInterval of a mean has the width that the central limit gives", () => {
  // 400 people, one image each, values 0 and 1: standard error 0.5 / sqrt(400) = 0.025.
  const people = Array.from({ length: 400 }, (_, i) => `${i}`);
  const { low, high } = clusteredInterval(
    [people],
    ([drawn]) => mean(drawn, (i) => i % 2),
    { random: new Random(1, "bootstrap") },
  );
  assertAlmostEquals(low, 0.5 - 1.96 * 0.025, 0.008);
  assertAlmostEquals(high, 0.5 + 1.96 * 0.025, 0.008);
});

Deno.test("clusteredInterval widens when images are few people's", () => {
  // The same 400 values, but 4 people's: standard error 0.5 / sqrt(4).
  const identities = Array.from({ length: 400 }, (_, i) => `${i % 4}`);
  const { low, high } = clusteredInterval(
    [identities],
    ([drawn]) => mean(drawn, (i) => i % 2),
    { random: new Random(1, "bootstrap") },
  );
  assertEquals([low, high], [0, 1]);
});

Deno.test("clusteredInterval draws each person with all images, populations apart", () => {
  const seen = new Set<string>();
  clusteredInterval(
    [["a", "b", "a"], ["a", "c"]],
    (populations) => {
      seen.add(JSON.stringify(populations.map((drawn) => [...drawn])));
      return 0;
    },
    { random: new Random(3, "bootstrap"), draws: 200 },
  );
  // First: a twice, a and b, b twice. Second: a twice, both, c twice.
  const first = ["[2,0,2]", "[1,1,1]", "[0,2,0]"];
  const second = ["[2,0]", "[1,1]", "[0,2]"];
  const due = first.flatMap((a) => second.map((b) => `[${a},${b}]`));
  assertEquals([...seen].sort(), due.sort());
});

Deno.test("clusteredInterval repeats bit for bit with its seed, and not with another", () => {
  const identities = Array.from({ length: 50 }, (_, i) => `${i}`);
  const run = (seed: number) =>
    clusteredInterval([identities], ([drawn]) => mean(drawn, (i) => i), {
      random: new Random(seed, "bootstrap"),
      draws: 100,
    });
  assertEquals(run(5), run(5));
  assert(run(5).low !== run(6).low);
});

Deno.test("clusteredInterval refuses empty populations and settings out of range", () => {
  const random = new Random(0, "bootstrap");
  const zero = () => 0;
  assertThrows(() => clusteredInterval([["a"], []], zero, { random }), RangeError, "empty");
  assertThrows(() => clusteredInterval([["a"]], zero, { random, level: 1 }), RangeError, "level");
  assertThrows(() => clusteredInterval([["a"]], zero, { random, draws: 0 }), RangeError, "draws");
});

Deno.test("clusteredIntervals gives each statistic the interval that it has alone", () => {
  const identities = Array.from({ length: 30 }, (_, i) => `${i % 10}`);
  const random = () => new Random(2, "bootstrap");
  const statistics = [
    (drawn: Float64Array) => mean(drawn, (i) => i),
    (drawn: Float64Array) => drawn.findLastIndex((times) => times > 0),
  ];
  const together = clusteredIntervals(
    [identities],
    ([drawn]) => statistics.map((statistic) => statistic(drawn)),
    { random: random(), draws: 100 },
  );
  const alone = statistics.map((statistic) =>
    clusteredInterval([identities], ([drawn]) => statistic(drawn), { random: random(), draws: 100 })
  );
  assertEquals(together, alone);
});
