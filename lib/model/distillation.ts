import * as tf from "@tensorflow/tfjs";
import { customGradient } from "../tensor/custom_gradient.ts";

/**
 * How far a student's softened predictions are from a teacher's (Hinton 2014, as SCRUB and Bad Teacher
 * use it): T^2 KL(softmax(teacher / T) || softmax(student / T)), mean over the batch.
 *
 * @param student logits [b, labels]; differentiable with respect to these
 * @param teacher logits [b, labels]
 * @returns a scalar, owned by the caller
 */
export function divergence(student: tf.Tensor, teacher: tf.Tensor, temperature = 1): tf.Scalar {
  const soft = customGradient((x, save) => {
    const logits = tf.div(x as tf.Tensor, temperature);
    const [ours, theirs] = [logSoftmax(logits), logSoftmax(tf.div(teacher, temperature))];
    const target = tf.exp(theirs);
    (save as tf.GradSaveFunc)([ours, target]);
    const scale = temperature ** 2 / student.shape[0];
    return {
      value: tf.mul(tf.sum(tf.mul(target, tf.sub(theirs, ours))), scale),
      gradFunc: (dy: tf.Tensor, saved: tf.Tensor[]) =>
        tf.mul(tf.mul(tf.sub(tf.exp(saved[0]), saved[1]), scale / temperature), dy),
    };
  });
  return soft(student) as tf.Scalar;
}

function logSoftmax(logits: tf.Tensor): tf.Tensor {
  const shifted = tf.sub(logits, tf.max(logits, -1, true));
  return tf.sub(shifted, tf.log(tf.sum(tf.exp(shifted), -1, true)));
}
