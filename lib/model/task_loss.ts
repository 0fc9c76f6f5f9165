import * as tf from "@tensorflow/tfjs";
import { customGradient } from "../tensor/custom_gradient.ts";
import { hasKernel, runKernel } from "../tensor/kernel.ts";
import type { Task } from "../data/sample.ts";

/** The targets are constants: their gradient, which nobody asks for, is not computed. */
function binaryCrossEntropy(logits: tf.Tensor, y: tf.Tensor): tf.Tensor {
  const byKernel = hasKernel("LetheBinaryCrossEntropy");
  return customGradient((input, save) => {
    const x = input as tf.Tensor;
    if (byKernel) {
      const [value, slope] = runKernel("LetheBinaryCrossEntropy", { x, y });
      (save as tf.GradSaveFunc)([slope]);
      return { value, gradFunc: (dy: tf.Tensor, [slope]: tf.Tensor[]) => tf.mul(slope, dy) };
    }
    (save as tf.GradSaveFunc)([x]);
    // max(x, 0) - x y + log(1 + exp(-|x|)): never overflows.
    const elements = tf.add(
      tf.sub(tf.relu(x), tf.mul(x, y)),
      tf.log1p(tf.exp(tf.neg(tf.abs(x)))),
    );
    return {
      value: tf.mean(elements),
      gradFunc: (dy: tf.Tensor, [x]: tf.Tensor[]) =>
        tf.mul(tf.mul(tf.sub(tf.sigmoid(x), y), 1 / x.size), dy),
    };
  })(logits);
}

const crossEntropy = customGradient((logits, targets, save) => {
  const [x, y] = [logits as tf.Tensor, targets as tf.Tensor];
  (save as tf.GradSaveFunc)([x, y]);
  const shifted = tf.sub(x, tf.max(x, -1, true));
  const logSum = tf.log(tf.sum(tf.exp(shifted), -1, true));
  return {
    value: tf.neg(tf.mean(tf.sum(tf.mul(y, tf.sub(shifted, logSum)), -1))),
    gradFunc: (dy: tf.Tensor, [x, y]: tf.Tensor[]) => [
      tf.mul(tf.mul(tf.sub(tf.softmax(x), y), 1 / x.shape[0]), dy),
      tf.zerosLike(y),
    ],
  };
});

/**
 * L_task: the loss f_theta is trained with. Labels: mean binary cross entropy over all elements;
 * classes: mean cross entropy over the batch.
 *
 * @param logits [b, labels]
 * @param targets [b, labels]: 0 or 1 per label, or one-hot classes
 * @returns a scalar, owned by the caller; differentiable with respect to the logits
 */
export function taskLoss(task: Task, logits: tf.Tensor, targets: tf.Tensor): tf.Scalar {
  const loss = task === "multi-label" ? binaryCrossEntropy : crossEntropy;
  return loss(logits, targets) as tf.Scalar;
}

/**
 * A weighted sum of label losses, sum_l w_l L_l with L_l the mean binary cross entropy of label l.
 *
 * @param logits [b, labels]
 * @param targets 0 or 1, [b, labels]
 * @param weights one per label
 * @returns a scalar, owned by the caller; differentiable with respect to the logits
 */
export function weightedLabelLoss(
  logits: tf.Tensor,
  targets: tf.Tensor,
  weights: ArrayLike<number>,
): tf.Scalar {
  const loss = customGradient((x, save) => {
    const input = x as tf.Tensor;
    (save as tf.GradSaveFunc)([input]);
    const row = tf.tensor1d(Float32Array.from(weights));
    const elements = tf.add(
      tf.sub(tf.relu(input), tf.mul(input, targets)),
      tf.log1p(tf.exp(tf.neg(tf.abs(input)))),
    );
    return {
      value: tf.div(tf.sum(tf.mul(elements, row)), input.shape[0]),
      gradFunc: (dy: tf.Tensor, [x]: tf.Tensor[]) => {
        const row = tf.tensor1d(Float32Array.from(weights, (w) => w / x.shape[0]));
        return tf.mul(tf.mul(tf.sub(tf.sigmoid(x), targets), row), dy);
      },
    };
  });
  return loss(logits) as tf.Scalar;
}
