import { assertAlmostEquals, assertEquals, assertThrows } from "@std/assert";
import { areaUnderRoc, tprAtFpr, truePositiveRates } from "../../lib/measure/roc.ts";
import { goldenTest } from "./golden_methods.ts";

Deno.test("areaUnderRoc is the share of pairs in the right order, ties half", () => {
  assertEquals(areaUnderRoc([3, 4], [1, 2]), 1);
  assertEquals(areaUnderRoc([1], [2, 3]), 0);
  assertEquals(areaUnderRoc([5, 5], [5]), 1 / 2);
  // 2 beats 1, ties 2, loses to 3; 4 beats all three.
  assertEquals(areaUnderRoc([4, 2], [2, 1, 3]), (3 + 1.5) / 6);
});

Deno.test("tprAtFpr takes the threshold that so many non-members exceed at most", () => {
  const nonMembers = [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1];
  const members = [0.95, 0.85, 0.9, 0.05];
  // One of ten may exceed it: 0.9, which 0.9 itself does not.
  assertEquals(tprAtFpr(members, nonMembers, 0.1).tpr, 1 / 4);
  assertEquals(tprAtFpr(members, nonMembers, 0.19).tpr, 1 / 4);
  assertEquals(tprAtFpr(members, nonMembers, 0.2).tpr, 3 / 4);
});

Deno.test("tprAtFpr says when there are too few non-members, and what they resolve", () => {
  const result = tprAtFpr([4, 9, 12], [1, 10, 3, 2], 1e-4);
  assertEquals(result, {
    fpr: 1e-4,
    tpr: 1 / 3,
    resolved: false,
    smallest: { fpr: 1 / 4, tpr: 1 },
  });
  assertEquals(tprAtFpr([1], [1], 0.5).smallest, { fpr: 1, tpr: 1 });
});

Deno.test("tprAtFpr is not misled by rounding or ties", () => {
  const nonMembers = Array.from({ length: 100 }, (_, i) => i);
  // 0.29 * 100 rounds to below 29: the threshold is the 30th highest, 70.
  assertEquals(tprAtFpr([71, 70], nonMembers, 0.29).tpr, 1 / 2);
  // Equal non-members all count as exceeded or none does.
  assertEquals(tprAtFpr([5, 6], [5, 5, 5, 5], 0.5).tpr, 1 / 2);
});

Deno.test("areaUnderRoc and tprAtFpr refuse empty groups and rates out of range", () => {
  assertThrows(() => areaUnderRoc([], [1]), RangeError, "0 members");
  assertThrows(() => tprAtFpr([1], [], 0.1), RangeError, "0 non-members");
  assertThrows(() => tprAtFpr([1], [1], 1), RangeError);
  assertThrows(() => tprAtFpr([1], [1], NaN), RangeError);
});

goldenTest("areaUnderRoc and tprAtFpr agree with PyTorch's side", (_, expected) => {
  const members = expected.get("rmia.score.forget")!.values;
  const nonMembers = expected.get("rmia.score.val")!.values;
  const due = (name: string) => expected.get(`rmia.${name}`)!.values[0];
  assertAlmostEquals(areaUnderRoc(members, nonMembers), due("auc"), 1e-7);
  for (const fpr of [0.01, 0.05]) {
    assertAlmostEquals(tprAtFpr(members, nonMembers, fpr).tpr, due(`tpr_at_fpr_${fpr}`), 1e-7);
  }
});

Deno.test("truePositiveRates gives tprAtFpr's rate at each point, and 1 at FPR 1", () => {
  const [members, nonMembers] = [[0.95, 0.85, 0.9, 0.05], [0.1, 0.3, 0.5, 0.7, 0.9]];
  const rates = [0, 0.2, 0.25, 0.4, 0.8];
  assertEquals(
    truePositiveRates(members, nonMembers, [...rates, 1]),
    [...rates.map((fpr) => tprAtFpr(members, nonMembers, fpr).tpr), 1],
  );
});
