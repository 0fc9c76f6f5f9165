import { assert, assertEquals, assertLess } from "@std/assert";
import * as tf from "@tensorflow/tfjs";
import { taskLoss, weightedLabelLoss } from "../../lib/model/task_loss.ts";
import { onEachDevice } from "../tensor/on_each_device.ts";

const LABELS = 3;
/** Ordinary logits, then some whose exponential float32 cannot hold. */
const LOGITS = [0.3, -1.2, 2.5, 0, 4, -4, -0.7, 20, -20, 100, -150, 90].flatMap((x, i) =>
  i % 2 ? [x, -x / 2] : [x]
);
const BATCH = LOGITS.length / LABELS;
const LABEL_TARGETS = LOGITS.map((_, i) => (i * 7) % 3 === 0 ? 1 : 0);
const CLASS_TARGETS = LOGITS.map((_, i) => i % LABELS === Math.floor(i / LABELS) % LABELS ? 1 : 0);

const logistic = (x: number) => x < 0 ? Math.exp(x) / (1 + Math.exp(x)) : 1 / (1 + Math.exp(-x));
/** -log sigma(x) or -log(1 - sigma(x)), written with the one of the two that does not round to 0. */
const crossEntropyOf = (x: number, y: number) => {
  const wrong = y === 1 ? -x : x;
  return wrong > 0 ? wrong + Math.log1p(Math.exp(-wrong)) : Math.log1p(Math.exp(wrong));
};

/** Loss and gradient in float64 from the definitions. */
function binary(): { value: number; gradient: number[] } {
  const n = LOGITS.length;
  return {
    value: LOGITS.reduce((sum, x, i) => sum + crossEntropyOf(x, LABEL_TARGETS[i]), 0) / n,
    gradient: LOGITS.map((x, i) => (logistic(x) - LABEL_TARGETS[i]) / n),
  };
}

function categorical(): { value: number; gradient: number[] } {
  let value = 0;
  const gradient: number[] = [];
  for (let from = 0; from < LOGITS.length; from += LABELS) {
    const row = LOGITS.slice(from, from + LABELS);
    const largest = Math.max(...row);
    const logSum = largest + Math.log(row.reduce((sum, x) => sum + Math.exp(x - largest), 0));
    row.forEach((x, c) => {
      const y = CLASS_TARGETS[from + c];
      value += y * (logSum - x) / BATCH;
      gradient.push((Math.exp(x - logSum) - y) / BATCH);
    });
  }
  return { value, gradient };
}

/** sum_l w_l L_l. */
function weighted(weights: readonly number[]): { value: number; gradient: number[] } {
  const weight = (i: number) => weights[i % LABELS] / BATCH;
  return {
    value: LOGITS.reduce((sum, x, i) => sum + weight(i) * crossEntropyOf(x, LABEL_TARGETS[i]), 0),
    gradient: LOGITS.map((x, i) => weight(i) * (logistic(x) - LABEL_TARGETS[i])),
  };
}

const WEIGHTS = [0.5, -2, 0];
const CASES = [
  {
    title: "taskLoss of labels is the mean binary cross entropy",
    loss: (x: tf.Tensor, y: tf.Tensor) => taskLoss("multi-label", x, y),
    targets: LABEL_TARGETS,
    expected: binary(),
  },
  {
    title: "taskLoss of classes is the mean cross entropy",
    loss: (x: tf.Tensor, y: tf.Tensor) => taskLoss("classes", x, y),
    targets: CLASS_TARGETS,
    expected: categorical(),
  },
  {
    title: "weightedLabelLoss is the weighted sum of the label losses",
    loss: (x: tf.Tensor, y: tf.Tensor) => weightedLabelLoss(x, y, WEIGHTS),
    targets: LABEL_TARGETS,
    expected: weighted(WEIGHTS),
  },
];

/** Rounding of a few operations in float32, as a share of the largest number. */
const TOLERANCE = 2e-6;

for (const { title, loss, targets, expected } of CASES) {
  onEachDevice(`${title}, in value and gradient`, async () => {
    const x = tf.tensor2d(LOGITS, [BATCH, LABELS]);
    const y = tf.tensor2d(targets, [BATCH, LABELS]);
    // Three times the loss: the gradient must heed what comes from above.
    const { value, grad } = tf.valueAndGrad((logits: tf.Tensor) =>
      tf.mul(loss(logits, y), 3) as tf.Scalar
    )(x);
    assertEquals(value.shape, []);
    assertEquals(grad.shape, [BATCH, LABELS]);
    const [got] = await value.data();
    const error = Math.abs(got / 3 - expected.value);
    assertLess(error, TOLERANCE * Math.abs(expected.value), `${got / 3}, not ${expected.value}`);
    const gradient = await grad.data();
    const largest = Math.max(...expected.gradient.map(Math.abs));
    expected.gradient.forEach((g, i) => {
      assert(Number.isFinite(gradient[i]), `element ${i} is ${gradient[i]}`);
      assertLess(Math.abs(gradient[i] / 3 - g), TOLERANCE * largest, `element ${i}`);
    });
    tf.dispose([x, y, value, grad]);
  });
}

onEachDevice("weightedLabelLoss with weights 1 / labels is the task loss", async () => {
  const x = tf.tensor2d(LOGITS, [BATCH, LABELS]);
  const y = tf.tensor2d(LABEL_TARGETS, [BATCH, LABELS]);
  const even = weightedLabelLoss(x, y, [1 / 3, 1 / 3, 1 / 3]);
  const mean = taskLoss("multi-label", x, y);
  const [[a], [b]] = await Promise.all([even.data(), mean.data()]);
  assertLess(Math.abs(a - b), 1e-6 * b);
  tf.dispose([x, y, even, mean]);
});
