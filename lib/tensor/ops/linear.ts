import * as tf from "@tensorflow/tfjs";
import { customGradient } from "../custom_gradient.ts";
import { matMul } from "../mat_mul.ts";
import { hasKernel, runKernel } from "../kernel.ts";
import { type Op, sumOfTerms } from "../op.ts";

/** Sum over the rows of [m, n], giving [n]. */
function columnSum(x: tf.Tensor): tf.Tensor {
  return hasKernel("LetheColumnSum") ? runKernel("LetheColumnSum", { x })[0] : tf.sum(x, 0);
}

const product = customGradient((x, weight, save) => {
  (save as tf.GradSaveFunc)([x as tf.Tensor, weight as tf.Tensor]);
  const value = matMul(x as tf.Tensor, weight as tf.Tensor, { transposeB: true });
  return {
    value,
    gradFunc: (dy: tf.Tensor, saved: tf.Tensor[]) => [
      matMul(dy, saved[1]),
      matMul(dy, saved[0], { transposeA: true }),
    ],
  };
});

const productWithBias = customGradient((x, weight, bias, save) => {
  (save as tf.GradSaveFunc)([x as tf.Tensor, weight as tf.Tensor]);
  const value = matMul(x as tf.Tensor, weight as tf.Tensor, {
    transposeB: true,
    bias: bias as tf.Tensor,
  });
  return {
    value,
    gradFunc: (dy: tf.Tensor, saved: tf.Tensor[]) => [
      matMul(dy, saved[1]),
      matMul(dy, saved[0], { transposeA: true }),
      columnSum(dy),
    ],
  };
});

/**
 * A fully connected layer, with PyTorch's weight layout: x [m, in], weight [out, in] and, where
 * there is one, bias [out] give [m, out].
 */
export const linear: Op = {
  name: "linear",
  formula: "y = x WT + b;  dx = dy W, dW = dyT x, db = sum_m dy;  y' = x' WT + x W'T + b'",
  forward([x, weight, bias]) {
    return bias === undefined ? product(x, weight) : productWithBias(x, weight, bias);
  },
  jvp([x, weight], [dx, dWeight, dBias]) {
    return tf.tidy(() =>
      sumOfTerms([
        dx ? product(dx, weight) : null,
        dWeight ? product(x, dWeight) : null,
        dBias ? tf.broadcastTo(dBias, [x.shape[0], weight.shape[0]]) : null,
      ])
    );
  },
};
