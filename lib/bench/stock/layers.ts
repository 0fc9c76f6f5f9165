import * as tf from "@tensorflow/tfjs";

/**
 * The model's layers as anybody would write them with tfjs: its own ops only, gradients from its own
 * tape. Nothing of Lethe's kernels is used, so this is what they are held against.
 */

/** x [m, in] times kernel [in, out] (tfjs's own layout, the fastest one forward) plus bias [out]. */
export function stockLinear(x: tf.Tensor, kernel: tf.Tensor, bias: tf.Tensor): tf.Tensor {
  return tf.add(tf.matMul(x, kernel), bias);
}

/** x [.., d] over its last axis; gamma and beta [d]. */
export function stockLayerNorm(
  x: tf.Tensor,
  gamma: tf.Tensor,
  beta: tf.Tensor,
  epsilon: number,
): tf.Tensor {
  const { mean, variance } = tf.moments(x, -1, true);
  const normal = tf.mul(tf.sub(x, mean), tf.rsqrt(tf.add(variance, epsilon)));
  return tf.add(tf.mul(normal, gamma), beta);
}

/** x Phi(x). Any shape. */
export function stockGelu(x: tf.Tensor): tf.Tensor {
  return tf.mul(tf.mul(x, 0.5), tf.add(tf.erf(tf.mul(x, Math.SQRT1_2)), 1));
}

/** Multi-head self-attention without its projections: qkv [b, n, 3 d] gives [b, n, d]. */
export function stockAttention(qkv: tf.Tensor, heads: number): tf.Tensor {
  const [b, n, width] = qkv.shape as [number, number, number];
  const headDim = width / 3 / heads;
  const [q, k, v] = tf.unstack(
    tf.transpose(tf.reshape(qkv, [b, n, 3, heads, headDim]), [2, 0, 3, 1, 4]),
  );
  const scores = tf.mul(tf.matMul(q, k, false, true), 1 / Math.sqrt(headDim));
  const out = tf.matMul(tf.softmax(scores), v);
  return tf.reshape(tf.transpose(out, [0, 2, 1, 3]), [b, n, width / 3]);
}
