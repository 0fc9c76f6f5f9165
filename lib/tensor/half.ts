import type * as tf from "@tensorflow/tfjs";
import { runKernel } from "./kernel.ts";
import { precision } from "./precision.ts";

/**
 * x [.., columns] rounded to half (11 significant bits, to nearest even; beyond 65504 it saturates, and
 * infinity and NaN stay what they are): int32 [.., columns / 2] of pairs, the first in the low 16 bits.
 * An odd number of columns stays float32, its values rounded.
 *
 * @returns owned by the caller
 */
export function toHalf(x: tf.Tensor): tf.Tensor {
  return runKernel("LetheToHalf", { x })[0];
}

/**
 * What a product reads for x and a pass keeps of it: under half precision {@link toHalf}, owned by the
 * caller, else x itself.
 */
export function stored(x: tf.Tensor): tf.Tensor {
  return precision() === "half" ? toHalf(x) : x;
}

/** Whether a tensor that {@link stored} gave holds pairs of halves. */
export function isPairs(x: tf.Tensor): boolean {
  return x.dtype === "int32";
}
