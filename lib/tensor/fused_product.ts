import type * as tf from "@tensorflow/tfjs";
import { isPairs } from "./half.ts";
import { hasKernel, runKernel } from "./kernel.ts";
import { precision } from "./precision.ts";

/**
 * Products that end with what would else be an op of its own (WebGPU only; not differentiable). Weights
 * are PyTorch's, [out, in]; whoever calls owns what comes out.
 */

/** Whether ops may use these products: the backend has them, and they take and save float32 alone. */
export function hasFusedProducts(): boolean {
  return hasKernel("LetheWeightGradient") && precision() === "float32";
}

/** What a product ends with; see lib/tensor/kernels/webgpu/product_ending.ts. */
export interface ProductEnding {
  /** [out], added to each row. */
  readonly bias?: tf.Tensor;
  /** [m, out], added. */
  readonly add?: tf.Tensor;
  /** [m, out], at which GELU's derivative is multiplied. */
  readonly slope?: tf.Tensor;
}

function given(ending: ProductEnding): Record<string, tf.Tensor> {
  return Object.fromEntries(Object.entries(ending).filter(([, tensor]) => tensor !== undefined));
}

/** x [m, in] WT, [m, out]. */
export function forwardProduct(x: tf.Tensor, weight: tf.Tensor, ending: ProductEnding): tf.Tensor {
  const inputs = { a: x, b: weight, ...given(ending) };
  return runKernel("LetheMatMul", inputs, { transposeA: false, transposeB: true, gelu: false })[0];
}

/** [GELU(x WT + b), x WT + b]. */
export function geluProduct(x: tf.Tensor, weight: tf.Tensor, bias: tf.Tensor): tf.Tensor[] {
  const inputs = { a: x, b: weight, bias };
  return runKernel("LetheMatMul", inputs, { transposeA: false, transposeB: true, gelu: true });
}

/** dy [m, out] W, [m, in]. */
export function backwardProduct(
  dy: tf.Tensor,
  weight: tf.Tensor,
  ending: ProductEnding = {},
): tf.Tensor {
  const inputs = { a: dy, b: weight, ...given(ending) };
  return runKernel("LetheMatMul", inputs, { transposeA: false, transposeB: false, gelu: false })[0];
}

/** [dW, db] of a layer from dy [m, out] and its input x [m, in], which may be pairs of halves. */
export function weightGradient(dy: tf.Tensor, x: tf.Tensor): tf.Tensor[] {
  return runKernel("LetheWeightGradient", { dy, x }, { half: isPairs(x) });
}
