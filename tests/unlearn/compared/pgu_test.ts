import { assertAlmostEquals, assertEquals } from "@std/assert";
import * as tf from "@tensorflow/tfjs";
import { disposeWeights } from "../../../lib/tensor/weights.ts";
import { inputCovariances } from "../../../lib/unlearn/compared/input_covariances.ts";
import { pguLoss, projectedGradient } from "../../../lib/unlearn/compared/pgu.ts";
import { onHost } from "../../tensor/directions.ts";
import { onEachDevice } from "../../tensor/on_each_device.ts";
import { toyObjective } from "../toy_objective.ts";

const LOGITS = [[1.5, -0.5, 0.25], [-2, 0.75, 3]];
const softmax = (row: number[]) => {
  const powers = row.map(Math.exp);
  return powers.map((x) => x / powers.reduce((a, b) => a + b));
};
const mean = (values: number[]) => values.reduce((a, b) => a + b) / values.length;
/** Of the softmax over a row, labels or classes alike. */
const entropy = mean(
  LOGITS.map((row) => -softmax(row).reduce((sum, p) => sum + p * Math.log(p), 0)),
);
const sigmoid = (x: number) => 1 / (1 + Math.exp(-x));

for (
  const [task, targets, right] of [
    // Of classes, the right one.
    ["classes", [[0, 1, 0], [0, 0, 1]], [softmax(LOGITS[0])[1], softmax(LOGITS[1])[2]]],
    // Of labels, each answer, yes or no.
    [
      "multi-label",
      [[1, 0, 0], [0, 1, 1]],
      LOGITS.flat().map((x, i) => sigmoid([1, 0, 0, 0, 1, 1][i] === 1 ? x : -x)),
    ],
  ] as const
) {
  onEachDevice(`pguLoss weighs right answers and entropy, of ${task}`, async () => {
    const [x, y] = [tf.tensor2d(LOGITS), tf.tensor2d(targets.map((row) => [...row]))];
    const loss = tf.tidy(() => pguLoss(task, x, y));
    const due = mean(right.map((p) => -Math.log(1 - p + 0.05))) + 0.2 * entropy;
    assertAlmostEquals((await loss.data())[0], due, 1e-5);
    tf.dispose([x, y, loss]);
  });
}

onEachDevice("projectedGradient leaves all but weight matrices as they are", async () => {
  const { theta, phi, objective } = await toyObjective(5);
  const { shape, source } = objective;
  const backbone = { shape, microBatch: 2 };
  const covariances = await inputCovariances(theta, backbone, source, [2, 3, 4]);
  const settings = { learningRate: 0.5, epochs: 2, gamma: 0.5 };
  const run = (gamma: number) =>
    projectedGradient(theta, backbone, "multi-label", source, [0, 1], covariances, {
      ...settings,
      gamma,
    });
  const { theta: after, ranks } = await run(0.5);
  const [before, now] = [await onHost(theta), await onHost(after)];
  const changed = Object.keys(before).filter((name) =>
    now[name].some((value, i) => value !== before[name][i])
  );
  assertEquals(changed.sort(), Object.keys(ranks).map((layer) => `${layer}.weight`).sort());

  // When every direction is kept, no gradient is left: weights move by rounding at most.
  const { theta: still } = await run(1);
  for (const [name, values] of Object.entries(await onHost(still))) {
    values.forEach((value, i) => assertAlmostEquals(value, before[name][i], 1e-5));
  }
  for (const weights of [theta, phi, covariances, after, still]) disposeWeights(weights);
});
