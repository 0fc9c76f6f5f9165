import * as tf from "@tensorflow/tfjs";
import { customGradient } from "../custom_gradient.ts";
import type { Op } from "../op.ts";

const forward = customGradient((x) => {
  const [b, n, d] = (x as tf.Tensor).shape as [number, number, number];
  return {
    value: tf.reshape(tf.slice(x as tf.Tensor, [0, 0, 0], [b, 1, d]), [b, d]),
    gradFunc: (dy: tf.Tensor) => tf.pad(tf.reshape(dy, [b, 1, d]), [[0, 0], [0, n - 1], [0, 0]]),
  };
});

/** The class token of each image: [b, n, d] gives [b, d]. Linear. */
export const classRows: Op = {
  name: "classRows",
  formula: "y = x[:, 0, :], linear: y' = x'[:, 0, :]",
  forward: ([x]) => forward(x),
  jvp: (_inputs, [dx]) => forward(dx!),
};
