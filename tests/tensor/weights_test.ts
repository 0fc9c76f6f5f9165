import { assert, assertEquals, assertThrows } from "@std/assert";
import * as tf from "@tensorflow/tfjs";
import {
  accumulate,
  addScaled,
  disposeWeights,
  mapWeights,
  valueAndGradients,
  type Weights,
} from "../../lib/tensor/weights.ts";
import { onHost } from "./directions.ts";
import { onEachDevice } from "./on_each_device.ts";

const weights = (): Weights => ({
  a: tf.tensor1d([1, 2]),
  b: tf.tensor2d([[3], [4]]),
  c: tf.tensor1d([5, 6, 7]),
});
const numbers = async (set: Weights) =>
  Object.fromEntries(
    Object.entries(await onHost(set)).map(([name, values]) => [name, [...values]]),
  );

onEachDevice("valueAndGradients differentiates by every tensor that f uses", async () => {
  const at = weights();
  const { value, gradients } = valueAndGradients(
    ({ a, b, c }) => tf.add(tf.sum(tf.mul(tf.reshape(b, [2]), tf.square(a))), tf.sum(c)),
    at,
  );
  assertEquals([...await value.data()], [3 * 1 + 4 * 4 + 18]);
  assertEquals(await numbers(gradients), { a: [6, 16], b: [1, 4], c: [1, 1, 1] });
  assertEquals(gradients.b.shape, [2, 1]);
  value.dispose();
  for (const set of [at, gradients]) disposeWeights(set);
});

onEachDevice(
  "valueAndGradients gives a tensor that f does not use a gradient of zero",
  async () => {
    const at = weights();
    const { value, gradients } = valueAndGradients(({ a }) => tf.sum(tf.square(a)), at);
    assertEquals(await numbers(gradients), { a: [2, 4], b: [0, 0], c: [0, 0, 0] });
    assertEquals(gradients.b.shape, [2, 1]);
    value.dispose();
    disposeWeights(gradients);

    const constant = valueAndGradients(() => tf.scalar(9), at);
    assertEquals([...await constant.value.data()], [9]);
    assertEquals(await numbers(constant.gradients), { a: [0, 0], b: [0, 0], c: [0, 0, 0] });
    constant.value.dispose();
    for (const set of [at, constant.gradients]) disposeWeights(set);
  },
);

onEachDevice("valueAndGradients leaves the weights and what f keeps to the caller", async () => {
  const at = weights();
  let kept: tf.Tensor | undefined;
  const { value, gradients } = valueAndGradients(({ a }) => {
    kept = tf.keep(tf.square(a));
    return tf.sum(tf.mul(kept, 2));
  }, at);
  value.dispose();
  disposeWeights(gradients);
  assertEquals([...await kept!.data()], [1, 4]);
  assertEquals(await numbers(at), { a: [1, 2], b: [3, 4], c: [5, 6, 7] });
  kept!.dispose();
  disposeWeights(at);
});

onEachDevice("valueAndGradients refuses a function whose value is no scalar", () => {
  const at = weights();
  assertThrows(
    () => valueAndGradients(({ c }) => tf.square(c), at),
    RangeError,
    "f gives a tensor of shape [3], not a scalar",
  );
  disposeWeights(at);
  return Promise.resolve();
});

onEachDevice("addScaled adds by name, scaled by a number or a tensor each", async () => {
  const [a, b] = [weights(), { a: tf.tensor1d([10, 20]), c: tf.ones([3]), d: tf.scalar(1) }];
  const halves = addScaled(a, b, 0.5);
  assertEquals(await numbers(halves), { a: [6, 12], b: [3, 4], c: [5.5, 6.5, 7.5] });
  const scales = { a: tf.scalar(-1), c: tf.scalar(2), d: tf.scalar(3) };
  const each = addScaled(a, b, scales);
  assertEquals(await numbers(each), { a: [-9, -18], b: [3, 4], c: [7, 8, 9] });
  for (const set of [halves, each, b, scales]) disposeWeights(set);
  assertEquals(await numbers(a), { a: [1, 2], b: [3, 4], c: [5, 6, 7] }, "the sum is a copy");
  disposeWeights(a);
});

onEachDevice("mapWeights frees what f makes besides its result", async () => {
  const at = weights();
  const before = tf.memory().numTensors;
  const mapped = mapWeights(at, (tensor, name) => tf.add(tf.mul(tensor, 2), name === "a" ? 1 : 0));
  assertEquals(tf.memory().numTensors, before + 3);
  assertEquals(await numbers(mapped), { a: [3, 5], b: [6, 8], c: [10, 12, 14] });
  disposeWeights(mapped);
  assert(Object.values(mapped).every((tensor) => tensor.isDisposed));
  disposeWeights(null);
  disposeWeights(at);
});

onEachDevice("accumulate takes both over, and begins with nothing", async () => {
  const before = tf.memory().numTensors;
  const first = weights();
  const alone = accumulate(null, first);
  assertEquals(alone, first);
  const sum = accumulate(accumulate(alone, weights()), weights(), -0.5);
  assertEquals(await numbers(sum), { a: [1.5, 3], b: [4.5, 6], c: [7.5, 9, 10.5] });
  const scaled = accumulate(null, weights(), 2);
  assertEquals(await numbers(scaled), { a: [2, 4], b: [6, 8], c: [10, 12, 14] });
  for (const set of [sum, scaled]) disposeWeights(set);
  assertEquals(tf.memory().numTensors, before);
});
