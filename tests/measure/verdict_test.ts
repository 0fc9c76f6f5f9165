import { assert, assertAlmostEquals, assertEquals, assertThrows } from "@std/assert";
import { type ComparedImages, forgettingVerdict } from "../../lib/measure/verdict.ts";
import { Random } from "../../lib/random.ts";

const settings = (seed = 0) => ({ random: new Random(seed, "verdict"), draws: 400 });

/** Images of `people`, each `images` times; margins are drawn per person and per image around `mean`. */
function drawn(random: Random, people: number, images: number, mean: number): ComparedImages {
  const rows = Array.from({ length: people }, (_, person) => {
    const own = mean + random.normal();
    return Array.from({ length: images }, () => ({
      identity: `p${person}`,
      margin: own + random.normal(),
    }));
  }).flat();
  return {
    identities: rows.map(({ identity }) => identity),
    unlearned: rows.map(({ margin }) => 5 - margin),
    retrained: rows.map(() => 5),
  };
}

Deno.test("forgettingVerdict tells people still known and people done worse by than strangers", () => {
  const random = new Random(3, "losses");
  const unseen = drawn(random, 40, 4, 0);
  const known = forgettingVerdict(drawn(random, 8, 4, 3), unseen, settings());
  assertEquals(known.verdict, "under-forgotten");
  assert(known.auc > 0.85 && known.interval.low > 0.5 && known.pValue <= 0.05);
  const spoilt = forgettingVerdict(drawn(random, 8, 4, -3), unseen, settings());
  assertEquals(spoilt.verdict, "over-forgotten");
  assert(spoilt.auc < 0.15 && spoilt.interval.high < 0.5 && spoilt.pValue <= 0.05);
});

Deno.test("forgettingVerdict does not mind what is done to everybody alike", () => {
  const random = new Random(4, "losses");
  const shift = (images: ComparedImages): ComparedImages => ({
    ...images,
    unlearned: Array.from(images.unlearned, (loss) => loss + 7),
  });
  const [forgotten, unseen] = [drawn(random, 8, 3, 0.5), drawn(random, 30, 3, 0)];
  assertEquals(
    forgettingVerdict(shift(forgotten), shift(unseen), settings()),
    forgettingVerdict(forgotten, unseen, settings()),
  );
});

Deno.test("forgettingVerdict errs on people who are strangers about as often as its level allows", () => {
  // Images of one person are alike, and five people are few: where intervals fail, the test holds.
  let wrong = 0;
  for (let trial = 0; trial < 200; trial++) {
    const random = new Random(trial, "strangers");
    const { verdict } = forgettingVerdict(drawn(random, 5, 6, 0), drawn(random, 30, 6, 0), {
      random,
      draws: 99,
    });
    if (verdict !== "indistinguishable") wrong++;
  }
  // Binomial(200, 0.05): mean 10, deviation 3.1.
  assert(wrong >= 2 && wrong <= 20, `${wrong} of 200`);
});

Deno.test("forgettingVerdict takes every relabelling of one person", () => {
  // Margins 1 .. 50, the forgotten person's on top: 1 of 50 people is so far out, on either side.
  const one = { identities: ["x"], unlearned: [0], retrained: [50] };
  const others = (count: number) => ({
    identities: Array.from({ length: count }, (_, i) => `${i}`),
    unlearned: Array.from({ length: count }, () => 0),
    retrained: Array.from({ length: count }, (_, i) => i + 1),
  });
  const told = forgettingVerdict(one, others(49), settings());
  assertEquals(told.verdict, "under-forgotten");
  assertEquals([told.auc, told.pValue, told.smallestPValue], [1, 2 / 50, 2 / 50]);
  // With 30 others, even the most extreme place is not rare enough.
  const untold = forgettingVerdict(one, others(30), settings());
  assertEquals([untold.verdict, untold.smallestPValue], ["too few people", 2 / 31]);
});

Deno.test("forgettingVerdict's auc counts ties half, as the statistic of its test does", () => {
  const images = (margins: number[], name: string) => ({
    identities: margins.map((_, i) => `${name}${i}`),
    unlearned: margins.map(() => 0),
    retrained: margins,
  });
  // 2 beats 1, ties 2; 0 loses to both: (1 + 0.5) / 4.
  const { auc, pValue } = forgettingVerdict(images([2, 0], "a"), images([1, 2], "b"), settings());
  assertAlmostEquals(auc, 1.5 / 4, 1e-15);
  assertEquals(pValue > 0.5, true);
});

Deno.test("forgettingVerdict keeps people of one name in both groups apart and repeats with its seed", () => {
  const random = new Random(9, "losses");
  const [forgotten, unseen] = [drawn(random, 4, 3, 1), drawn(random, 12, 3, 0)];
  const renamed = { ...unseen, identities: unseen.identities.map((name) => `other ${name}`) };
  const verdict = forgettingVerdict(forgotten, unseen, settings(5));
  assertEquals(verdict, forgettingVerdict(forgotten, unseen, settings(5)));
  assertEquals(verdict, forgettingVerdict(forgotten, renamed, settings(5)));
});

Deno.test("forgettingVerdict refuses losses that are no numbers", () => {
  const one = { identities: ["a"], unlearned: [1], retrained: [NaN] };
  const fine = { identities: ["b"], unlearned: [1], retrained: [1] };
  assertThrows(() => forgettingVerdict(one, fine, settings()), RangeError, "NaN");
  const nobody = { identities: [], unlearned: [], retrained: [] };
  assertThrows(() => forgettingVerdict(nobody, fine, settings()), RangeError);
});
