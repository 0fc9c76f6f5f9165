import { assert, assertAlmostEquals, assertEquals } from "@std/assert";
import { membershipAttack } from "../../lib/measure/membership.ts";
import { Random } from "../../lib/random.ts";

/** Images one per person, from probabilities under the target; the reference gives each 1/2. */
function images(name: string, probabilities: number[]) {
  return {
    identities: probabilities.map((_, i) => `${name}${i}`),
    target: probabilities.map((p) => -Math.log(p)),
    reference: probabilities.map(() => Math.LN2),
  };
}

Deno.test("membershipAttack agrees with RMIA by hand", () => {
  // All references are alike, so LR(x, z) is Pr(x) / Pr(z): the score counts the z below x.
  const z = images("z", [0.2, 0.4, 0.6, 0.8]);
  const members = images("m", [0.9, 0.7, 0.3]); // scores 1, 3/4, 1/4
  const nonMembers = images("n", [0.5, 0.3, 0.1]); // scores 1/2, 1/4, 0
  const attack = membershipAttack(members, nonMembers, z, {
    random: new Random(0, "attack"),
    draws: 50,
  });
  assertEquals(attack.scores, { members: [1, 0.75, 0.25], nonMembers: [0.5, 0.25, 0] });
  // 1 and 3/4 beat all three; 1/4 beats 0 and ties 1/4.
  assertAlmostEquals(attack.auc, (3 + 3 + 1.5) / 9, 1e-15);
  // Three non-members cannot show 0.01 %: the rate is that at FPR 0, above 1/2.
  assertEquals(attack.tpr, {
    fpr: 1e-4,
    tpr: 2 / 3,
    resolved: false,
    smallest: { fpr: 1 / 3, tpr: 2 / 3 },
  });
});

Deno.test("membershipAttack's curve rises from the smallest resolved rate to 1 within its band", () => {
  const random = new Random(1, "probabilities");
  const drawn = (n: number, low: number) =>
    Array.from({ length: n }, () => low + (1 - low) * random.uniform());
  const { roc, auc, aucInterval } = membershipAttack(
    images("m", drawn(60, 0.3)),
    images("n", drawn(80, 0.05)),
    images("z", drawn(50, 0.05)),
    { random, draws: 200 },
  );
  assertAlmostEquals(roc[0].fpr, 1 / 80, 1e-15);
  assertEquals([roc.at(-1)!.fpr, roc.at(-1)!.tpr], [1, 1]);
  roc.forEach(({ fpr, tpr, low, high }, i) => {
    assert(i === 0 || fpr > roc[i - 1].fpr && tpr >= roc[i - 1].tpr);
    assert(low <= tpr && tpr <= high);
  });
  assert(aucInterval.low < auc && auc < aucInterval.high && aucInterval.low > 0.5);
});
