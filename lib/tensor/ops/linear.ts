import * as tf from "@tensorflow/tfjs";
import { customGradient } from "../custom_gradient.ts";
import { stored } from "../half.ts";
import { matMul } from "../mat_mul.ts";
import { weightGradient } from "../fused_product.ts";
import { hasKernel } from "../kernel.ts";
import { type Op, sumOfTerms } from "../op.ts";

/** dW, and db where there is a bias. */
function gradients(dy: tf.Tensor, x: tf.Tensor, bias: tf.Tensor | undefined): tf.Tensor[] {
  if (bias === undefined) return [matMul(dy, x, { transposeA: true })];
  return hasKernel("LetheWeightGradient")
    ? weightGradient(dy, x)
    : [matMul(dy, x, { transposeA: true }), tf.sum(dy, 0)];
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
        ...gradients(dy, x, bias),
      ],
    };
  })(...inputs);
}

/** The same of an x that is fixed: its gradient, which nobody asks for, is not computed. */
function productOfFixed(x: tf.Tensor, ...inputs: tf.Tensor[]): tf.Tensor {
  return customGradient((...args) => {
    const save = args.pop() as tf.GradSaveFunc;
    const [weight, bias] = args as tf.Tensor[];
    const read = stored(x);
    save([read]);
    return {
      value: matMul(read, stored(weight), { transposeB: true, bias }),
      gradFunc: (dy: tf.Tensor, [x]: tf.Tensor[]) => gradients(dy, x, bias),
    };
  })(...inputs);
}

/** As it is: gradients and tangents are too small for half precision. */
const float32 = (x: tf.Tensor) => x;

/**
 * A fully connected layer, with PyTorch's weight layout: x [m, in], weight [out, in] and, where
 * there is one, bias [out] give [m, out]. Attribute `fixedInput`, where it is 1: x is a constant.
 */
export const linear: Op = {
  name: "linear",
  formula: "y = x WT + b;  dx = dy W, dW = dyT x, db = sum_m dy;  y' = x' WT + x W'T + b'",
  forward([x, weight, bias], { fixedInput }) {
    const weights = bias === undefined ? [weight] : [weight, bias];
    return fixedInput === 1 ? productOfFixed(x, ...weights) : product(stored, x, ...weights);
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
