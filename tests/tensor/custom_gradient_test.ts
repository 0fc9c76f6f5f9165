import { assertEquals, assertLess } from "@std/assert";
import * as tf from "@tensorflow/tfjs";
import { customGradient } from "../../lib/tensor/custom_gradient.ts";
import { peakBytes } from "../../lib/bench/peak_bytes.ts";
import { onEachDevice } from "./on_each_device.ts";

/** x^3 in steps that leave intermediates, forwards and backwards. */
const cubed = (wrap: typeof customGradient) =>
  wrap((x, save) => {
    const input = x as tf.Tensor;
    (save as tf.GradSaveFunc)([input]);
    return {
      value: tf.mul(tf.square(input), input),
      gradFunc: (dy: tf.Tensor, [x]: tf.Tensor[]) => tf.mul(tf.mul(tf.square(x), 3), dy),
    };
  });

onEachDevice(
  "customGradient gives the value and the gradient, and leaves nothing else",
  async () => {
    const x = tf.tensor1d([1, -2, 0.5]);
    const before = tf.memory().numTensors;
    const op = cubed(customGradient);
    // Its own dy goes into two sums, and must be there for both.
    const { value, grad } = tf.valueAndGrad((x) => tf.sum(op(tf.add(op(x), x))))(x);
    assertEquals(tf.memory().numTensors, before + 2);
    assertEquals([...await value.data()], [8 - 1000 + 0.625 ** 3].map(Math.fround));
    const slope = (x: number) => 3 * (x ** 3 + x) ** 2 * (3 * x * x + 1);
    [...await grad.data()].forEach((found, i) => {
      const expected = slope([1, -2, 0.5][i]);
      assertLess(Math.abs(found - expected), 1e-4 * Math.abs(expected));
    });
    tf.dispose([x, value, grad]);
  },
);

onEachDevice(
  "customGradient takes less than half of tf.customGrad's memory in a chain",
  async () => {
    const peak = async (wrap: typeof customGradient) => {
      const op = cubed(wrap);
      const x = tf.ones([1000]);
      const before = tf.memory().numBytes;
      const bytes = await peakBytes(async () => {
        const gradient = tf.grad((x) => {
          let y = x;
          for (let i = 0; i < 20; i++) y = op(y);
          return tf.sum(y);
        })(x);
        await gradient.data();
        gradient.dispose();
      });
      x.dispose();
      return bytes - before;
    };
    assertLess(await peak(customGradient), 0.5 * await peak(tf.customGrad));
  },
);
