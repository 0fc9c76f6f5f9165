import * as tf from "@tensorflow/tfjs";
import { customGradient } from "../custom_gradient.ts";
import { isPairs, stored } from "../half.ts";
import { matMul } from "../mat_mul.ts";
import { hasKernel, isRecorded, runKernel } from "../kernel.ts";
import { numberOf, type Op } from "../op.ts";

/** qkv [b, n, 3 d] (timm's order) to q, k, v, each [b h, n, d / h]. */
function splitHeads(qkv: tf.Tensor, heads: number): tf.Tensor[] {
  const [b, n, width] = qkv.shape;
  const headDim = width / 3 / heads;
  const ordered = tf.transpose(tf.reshape(qkv, [b, n, 3, heads, headDim]), [2, 0, 3, 1, 4]);
  return tf.unstack(tf.reshape(ordered, [3, b * heads, n, headDim]));
}

/** The inverse of {@link splitHeads}. */
function joinHeads(parts: tf.Tensor[], heads: number): tf.Tensor {
  const [bh, n, headDim] = parts[0].shape;
  const b = bh / heads;
  const stacked = tf.reshape(tf.stack(parts), [parts.length, b, heads, n, headDim]);
  return tf.reshape(tf.transpose(stacked, [1, 3, 0, 2, 4]), [
    b,
    n,
    parts.length * heads * headDim,
  ]);
}

/** a b of batches [.., m, k] and [.., k, n]; unlike {@link matMul} itself differentiable. */
const times = customGradient((a, b, save) => {
  const [left, right] = [a as tf.Tensor, b as tf.Tensor];
  (save as tf.GradSaveFunc)([left, right]);
  return {
    value: matMul(left, right),
    gradFunc: (dy: tf.Tensor, [a, b]: tf.Tensor[]) => [
      matMul(dy, b, { transposeB: true }),
      matMul(a, dy, { transposeA: true }),
    ],
  };
});

/** a bT of batches [.., m, k] and [.., n, k], differentiable. */
const timesTransposed = customGradient((a, b, save) => {
  const [left, right] = [a as tf.Tensor, b as tf.Tensor];
  (save as tf.GradSaveFunc)([left, right]);
  return {
    value: matMul(left, right, { transposeB: true }),
    gradFunc: (dy: tf.Tensor, [a, b]: tf.Tensor[]) => [
      matMul(dy, b),
      matMul(dy, a, { transposeA: true }),
    ],
  };
});

/** P (g - rowsum(P g)): softmax's derivative applied to a direction; it is symmetric. */
function softmaxDerivative(probabilities: tf.Tensor, g: tf.Tensor): tf.Tensor {
  const weighted = tf.mul(probabilities, g);
  return tf.sub(weighted, tf.mul(probabilities, tf.sum(weighted, -1, true)));
}

function composed(heads: number) {
  return customGradient((qkv, save) => {
    const input = qkv as tf.Tensor;
    const [q, k, v] = splitHeads(input, heads);
    const scale = 1 / Math.sqrt(q.shape[2]!);
    const scores = tf.mul(matMul(q, k, { transposeB: true }), scale);
    const probabilities = tf.softmax(scores);
    (save as tf.GradSaveFunc)([input, probabilities]);
    return {
      value: joinHeads([matMul(probabilities, v)], heads),
      gradFunc: (dy: tf.Tensor, [qkv, probabilities]: tf.Tensor[]) => {
        const [q, k, v] = splitHeads(qkv, heads);
        const [b, n, d] = dy.shape;
        const dOut = tf.reshape(
          tf.transpose(tf.reshape(dy, [b, n, heads, d / heads]), [0, 2, 1, 3]),
          [b * heads, n, d / heads],
        );
        const dV = matMul(probabilities, dOut, { transposeA: true });
        const dP = matMul(dOut, v, { transposeB: true });
        const dScores = tf.mul(softmaxDerivative(probabilities, dP), scale);
        const dQ = matMul(dScores, k);
        const dK = matMul(dScores, q, { transposeA: true });
        return joinHeads([dQ, dK, dV], heads);
      },
    };
  });
}

function fused(heads: number) {
  return customGradient((qkv, save) => {
    const input = stored(qkv as tf.Tensor);
    const attributes = { heads, half: isPairs(input) };
    const [value, rest] = runKernel("LetheAttention", { qkv: input }, attributes);
    // With probabilities at hand the backward pass needs no output; with a number per row it does.
    const out = rest.rank === 2 ? [value] : [];
    (save as tf.GradSaveFunc)([input, rest, ...out]);
    return {
      value,
      gradFunc: (dy: tf.Tensor, [qkv, rest, out]: tf.Tensor[]) =>
        runKernel("LetheAttentionGrad", { dy, qkv, rest, ...out ? { out } : {} }, attributes)[0],
    };
  });
}

/**
 * Multi-head self-attention without its projections: qkv [b, n, 3 d] gives [b, n, d].
 * Attribute `heads`; scores are scaled by 1 / sqrt(d / heads).
 */
export const attention: Op = {
  name: "attention",
  formula: "O = P V, P = softmax(S), S = s Q KT;  D(g) = P (g - rowsum(P g));  dV = PT dO," +
    " dS = D(dO VT), dQ = s dS K, dK = s dST Q;  O' = D(s (Q' KT + Q K'T)) V + P V'",
  forward([qkv], attributes) {
    const heads = numberOf(attributes, "heads");
    return (hasKernel("LetheAttention") ? fused(heads) : composed(heads))(qkv);
  },
  jvp([qkv], [dQkv], attributes) {
    return tf.tidy(() => {
      const heads = numberOf(attributes, "heads");
      if (hasKernel("LetheAttentionDual") && !isRecorded()) {
        return runKernel("LetheAttentionDual", { qkv, dqkv: dQkv! }, { heads })[1];
      }
      const [q, k, v] = splitHeads(qkv, heads);
      const [dQ, dK, dV] = splitHeads(dQkv!, heads);
      const scale = 1 / Math.sqrt(q.shape[2]!);
      const probabilities = tf.softmax(tf.mul(timesTransposed(q, k), scale));
      const dScores = tf.add(timesTransposed(dQ, k), timesTransposed(q, dK));
      const dP = softmaxDerivative(probabilities, tf.mul(dScores, scale));
      return joinHeads([tf.add(times(dP, v), times(probabilities, dV))], heads);
    });
  },
};
