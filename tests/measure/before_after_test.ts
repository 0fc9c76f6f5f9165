import { assert, assertAlmostEquals, assertEquals } from "@std/assert";
import { compareBeforeAfter } from "../../lib/measure/before_after.ts";
import { taskMetric } from "../../lib/measure/evaluation.ts";
import { meanLoss } from "../../lib/measure/loss.ts";
import { Random } from "../../lib/random.ts";

const PEOPLE = 12;
const random = new Random(3, "before and after");
const identities = Array.from({ length: 3 * PEOPLE }, (_, i) => `person ${i % PEOPLE}`);

/** Logits that follow the targets more or less, some of them equal. */
function logits(targets: readonly number[], strength: number): Float32Array {
  return Float32Array.from(
    targets,
    (target) => Math.round(4 * (strength * (2 * target - 1) + random.normal())) / 4,
  );
}

const compare = (task: "multi-label" | "classes", width: number, targets: number[]) => {
  const [before, after] = [logits(targets, 1.5), logits(targets, 0.3)];
  const names = Array.from({ length: width }, (_, i) => `label ${i}`);
  const found = compareBeforeAfter(
    task,
    { before, after, targets, identities },
    names,
    new Random(0, "draws"),
    200,
  );
  return { before, after, found };
};

Deno.test("compareBeforeAfter's figures are those of evaluate, and its intervals hold them", () => {
  const cases = [
    ["multi-label", 3, identities.flatMap(() => [0, 1, 2].map(() => random.integer(2)))],
    [
      "classes",
      3,
      identities.flatMap(() => {
        const own = random.integer(3);
        return [0, 1, 2].map((i) => Number(i === own));
      }),
    ],
  ] as const;
  for (const [task, width, targets] of cases) {
    const { before, after, found: { metric, loss, perLabel } } = compare(task, width, [...targets]);
    for (const [logits, when] of [[before, "before"], [after, "after"]] as const) {
      assertAlmostEquals(metric![when], taskMetric(task, logits, targets, width), 1e-9);
      assertAlmostEquals(loss[when], meanLoss(task, logits, targets, width), 1e-9);
    }
    for (const compared of [metric!, loss, ...Object.values(perLabel)]) {
      const { change, intervals } = compared!;
      assertAlmostEquals(change, compared!.after - compared!.before, 1e-12);
      assert(intervals.change.low <= change && change <= intervals.change.high);
    }
    assert(metric!.intervals.change.high < 0, "so much worse is no chance");
  }
});

Deno.test("compareBeforeAfter leaves a label without a positive undefined, and mAP where none has one", () => {
  const targets = identities.flatMap((_, i) => [0, i % 2]);
  const { found } = compare("multi-label", 2, targets);
  assertEquals(found.perLabel["label 0"], null);
  assertAlmostEquals(found.metric!.after, found.perLabel["label 1"]!.after, 1e-12);
  const none = compare("multi-label", 2, targets.map(() => 0)).found;
  assertEquals([none.metric, none.perLabel], [null, { "label 0": null, "label 1": null }]);
  assert(Number.isFinite(none.loss.change));
});

Deno.test("compareBeforeAfter finds no change, with an interval of none, in a model that stays", () => {
  const targets = identities.flatMap((_, i) => [i % 2, i % 3 === 0 ? 1 : 0]);
  const same = logits(targets, 1);
  const found = compareBeforeAfter(
    "multi-label",
    { before: same, after: same, targets, identities },
    ["a", "b"],
    new Random(0, "draws"),
    100,
  );
  assertEquals(found.metric!.change, 0);
  assertEquals(found.metric!.intervals.change, { low: 0, high: 0 });
});
