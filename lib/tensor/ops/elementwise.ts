import * as tf from "@tensorflow/tfjs";
import { customGradient } from "../custom_gradient.ts";
import type { Op } from "../op.ts";

const sum = customGradient((x, y) => ({
  value: tf.add(x as tf.Tensor, y as tf.Tensor),
  gradFunc: (dy: tf.Tensor) => [tf.clone(dy), tf.clone(dy)],
}));

/** x + y of one shape (the residual connection). */
export const add: Op = {
  name: "add",
  formula: "z = x + y;  dx = dy = dz;  z' = x' + y'",
  forward: ([x, y]) => sum(x, y),
  jvp: (_inputs, [dx, dy]) => dx && dy ? sum(dx, dy) : tf.clone((dx ?? dy)!),
};

/** x * mask of one shape; the mask (dropout's, already scaled) is a constant and has no derivative. */
export const mask: Op = {
  name: "mask",
  formula: "y = x m;  dx = dy m;  y' = x' m",
  forward: ([x, m]) => tf.mul(x, m),
  jvp: ([_x, m], [dx]) => tf.mul(dx!, m),
};

/** 1 / (1 + exp(-x)). Any shape. */
export const sigmoid: Op = {
  name: "sigmoid",
  formula: "y = s(x);  dx = dy y (1 - y);  y' = x' y (1 - y)",
  forward: ([x]) => tf.sigmoid(x),
  jvp([x], [dx]) {
    return tf.tidy(() => {
      const s = tf.sigmoid(x);
      return tf.mul(dx!, tf.mul(s, tf.sub(1, s)));
    });
  },
};

// tfjs's own softplus loses the sign of small values on some backends; this form never overflows:
// max(x, 0) + log(1 + exp(-|x|)).
const softplusForward = customGradient((x, save) => {
  const input = x as tf.Tensor;
  (save as tf.GradSaveFunc)([input]);
  return {
    value: tf.add(tf.relu(input), tf.log1p(tf.exp(tf.neg(tf.abs(input))))),
    gradFunc: (dy: tf.Tensor, [x]: tf.Tensor[]) => tf.mul(dy, tf.sigmoid(x)),
  };
});

/** log(1 + exp(x)), the meta-loss's last layer (Table 8b). Any shape. */
export const softplus: Op = {
  name: "softplus",
  formula: "y = log(1 + e^x);  dx = dy s(x);  y' = x' s(x)",
  forward: ([x]) => softplusForward(x),
  jvp: ([x], [dx]) => tf.tidy(() => tf.mul(dx!, tf.sigmoid(x))),
};

/** Mean of all elements, a scalar. */
export const mean: Op = {
  name: "mean",
  formula: "y = sum x / n;  dx = dy / n;  y' = mean x'",
  forward: ([x]) => tf.mean(x),
  jvp: (_inputs, [dx]) => tf.mean(dx!),
};
