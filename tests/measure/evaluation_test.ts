import { assertAlmostEquals, assertEquals, assertThrows } from "@std/assert";
import { LetheError } from "../../lib/error.ts";
import { partMetrics } from "../../lib/measure/eq7_tug_of_war.ts";
import { definedMetric, evaluation } from "../../lib/measure/evaluation.ts";

Deno.test("evaluation of labels gives mAP, loss and each label's average precision", () => {
  const logits = [0, 1, 2, 1, 1, 1];
  const targets = [1, 0, 0, 0, 1, 0];
  const result = evaluation("multi-label", logits, targets, ["smiling", "hat"]);
  // "smiling": 2 (no), 1 (yes, P 1/2), 0 (yes, P 2/3).
  const smiling = 1 / 2 * (1 / 2 + 2 / 3);
  assertAlmostEquals(result.metric, smiling, 1e-15);
  assertEquals(result.images, 3);
  assertAlmostEquals(result.perLabel.smiling!, smiling, 1e-15);
  assertEquals(result.perLabel.hat, null);
  const softplus = (x: number) => Math.log(1 + Math.exp(x));
  const losses = [softplus(0), softplus(1), softplus(2), softplus(1), softplus(-1), softplus(1)];
  assertAlmostEquals(result.loss, losses.reduce((a, b) => a + b) / 6, 1e-14);
});

Deno.test("evaluation leaves mAP undefined where no label has a positive", () => {
  const none = evaluation("multi-label", [3, -1, 2], [0, 0, 0], ["rare"]);
  assertEquals([none.metric, none.perLabel.rare], [null, null]);
  assertEquals(JSON.stringify(none.metric), "null");
  assertThrows(
    () => definedMetric(none, "test"),
    LetheError,
    "no image of test has any of the labels rare",
  );
  const many = evaluation("multi-label", new Array(7).fill(1), new Array(7).fill(0), [
    ..."abcdefg",
  ]);
  assertThrows(() => definedMetric(many, "val"), LetheError, "labels a, b, c, d, e and 2 more;");
  const one = evaluation("multi-label", [3, -1, 2], [0, 1, 0], ["rare"]);
  assertEquals(one.metric, 1 / 3);
  assertEquals(definedMetric(one, "test"), 1 / 3);
});

Deno.test("partMetrics is null where one part's metric is undefined", () => {
  const [some, none] = [{ metric: 0.5 }, { metric: null }];
  assertEquals(partMetrics({ retain: some, forget: some, test: none }), null);
  assertEquals(partMetrics({ retain: some, forget: some, test: { metric: 0 } }), {
    retain: 0.5,
    forget: 0.5,
    test: 0,
  });
});

Deno.test("evaluation of classes gives accuracy, loss and each class's accuracy", () => {
  const logits = [1, 0, 0, 1, 0, 1];
  const result = evaluation("classes", logits, [1, 0, 1, 0, 0, 1], ["young", "__proto__"]);
  assertAlmostEquals(result.metric, 2 / 3, 1e-15);
  assertEquals(Object.entries(result.perLabel), [["young", 1 / 2], ["__proto__", 1]]);
  const [right, wrong] = [Math.log(1 + Math.exp(-1)), Math.log(1 + Math.exp(1))];
  assertAlmostEquals(result.loss, (2 * right + wrong) / 3, 1e-15);
});
