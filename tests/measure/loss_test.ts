import { assertAlmostEquals, assertEquals } from "@std/assert";
import { meanLoss, sampleLosses } from "../../lib/measure/loss.ts";

Deno.test("sampleLosses gives the binary cross entropy, mean over labels", () => {
  // -log sigmoid(0) = log 2; -log(1 - sigmoid(log 3)) = -log(1/4).
  const losses = sampleLosses("multi-label", [0, Math.log(3), 0, 0], [1, 0, 0, 1], 2);
  assertAlmostEquals(losses[0], (Math.log(2) + Math.log(4)) / 2, 1e-15);
  assertAlmostEquals(losses[1], Math.log(2), 1e-15);
});

Deno.test("sampleLosses gives the cross entropy of classes", () => {
  // Softmax of log(1, 2, 5) is 1/8, 2/8, 5/8.
  const row = [0, Math.log(2), Math.log(5)];
  const losses = sampleLosses("classes", [...row, ...row], [0, 1, 0, 0, 0, 1], 3);
  assertAlmostEquals(losses[0], Math.log(4), 1e-15);
  assertAlmostEquals(losses[1], Math.log(8 / 5), 1e-15);
});

Deno.test("sampleLosses neither overflows nor loses small losses", () => {
  assertEquals([...sampleLosses("multi-label", [1000, -1000], [0, 1], 1)], [1000, 1000]);
  assertAlmostEquals(sampleLosses("multi-label", [40], [1], 1)[0], Math.exp(-40), 1e-30);
  assertEquals([...sampleLosses("classes", [1000, -1000], [0, 1], 2)], [2000]);
  // log(1 + exp(-40)) is below float64's spacing at 40, yet is a loss of its own.
  assertAlmostEquals(sampleLosses("classes", [40, 0], [1, 0], 2)[0], Math.exp(-40), 1e-30);
});

Deno.test("meanLoss averages over images", () => {
  assertAlmostEquals(
    meanLoss("multi-label", [0, 1000], [1, 0], 1),
    (Math.log(2) + 1000) / 2,
    1e-12,
  );
});
