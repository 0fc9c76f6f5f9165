import * as tf from "@tensorflow/tfjs";
import { customGradient } from "../custom_gradient.ts";
import { stored } from "../half.ts";
import { matMul } from "../mat_mul.ts";
import { hasKernel, runKernel } from "../kernel.ts";
import { type Op, sumOfTerms } from "../op.ts";

/** Sum over the rows of [m, n], giving [n]. */
function columnSum(x: tf.Tensor): tf.Tensor {
  return hasKernel("LetheColumnSum") ? runKernel("LetheColumnSum", { x })[0] : tf.sum(x, 0);
}

/**
 * x WT (+ b) with its gradient.
 *
 * @param operand what the products read for x and for the weight. A weight is not kept in that form:
 *   the backward pass makes it again.
 */
function product(operand: (x: tf.Tensor) => tf.Tensor, ...inputs: tf.Tensor[]): tf.Tensor {
  return customGradient((...args) => {
    const save = args.pop() as tf.GradSaveFunc;
    const [x, weight, bias] = args as tf.Tensor[];
    const read = operand(x);
    save([read, weight]);
    return {
      value: matMul(read, operand(weight), { transposeB: true, bias }),
      gradFunc: (dy: tf.Tensor, [x, weight]: tf.Tensor[]) => [
        matMul(dy, operand(weight)),
        matMul(dy, x, { transposeA: true }),
        ...bias === undefined ? [] : [columnSum(dy)],
      ],
    };
  })(...inputs);
}

/** As it is: gradients and tangents are too small for half precision. */
const float32 = (x: tf.Tensor) => x;

/**
 * A fully connected layer, with PyTorch's weight layout: x [m, in], weight [out, in] and, where
 * there is one, bias [out] give [m, out].
 */
export const linear: Op = {
  name: "linear",
  formula: "y = x WT + b;  dx = dy W, dW = dyT x, db = sum_m dy;  y' = x' WT + x W'T + b'",
  forward([x, weight, bias]) {
    return product(stored, x, weight, ...bias === undefined ? [] : [bias]);
  },
  jvp([x, weight], [dx, dWeight, dBias]) {
    return tf.tidy(() =>
      sumOfTerms([
        dx ? product(float32, dx, weight) : null,
        dWeight ? product(float32, x, dWeight) : null,
        dBias ? tf.broadcastTo(dBias, [x.shape[0], weight.shape[0]]) : null,
      ])
    );
  },
};
