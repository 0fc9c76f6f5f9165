import * as tf from "@tensorflow/tfjs";
import { isPairs } from "./half.ts";
import { hasKernel, runKernel } from "./kernel.ts";

/** How {@link matMul} reads its operands. */
export interface MatMulOptions {
  /** a is [.., k, m] instead of [.., m, k]. */
  transposeA?: boolean;
  /** b is [.., n, k] instead of [.., k, n]. */
  transposeB?: boolean;
  /** [n], added to every row of the product. */
  bias?: tf.Tensor;
}

/**
 * Matrix product, not differentiable: the ops call it inside their own forward and backward.
 *
 * An operand of {@link toHalf}'s pairs counts by the numbers in it (WebGPU only).
 *
 * @param a [m, k], or [batch, m, k]
 * @param b [k, n], or [batch, k, n] of the same batch
 * @returns [m, n] or [batch, m, n], owned by the caller
 */
export function matMul(a: tf.Tensor, b: tf.Tensor, options: MatMulOptions = {}): tf.Tensor {
  const { transposeA = false, transposeB = false, bias } = options;
  if (hasKernel("LetheMatMul")) {
    const inputs: Record<string, tf.Tensor> = bias === undefined ? { a, b } : { a, b, bias };
    return runKernel("LetheMatMul", inputs, {
      transposeA,
      transposeB,
      halfA: isPairs(a),
      halfB: isPairs(b),
    })[0];
  }
  if (!transposeA && !transposeB && bias === undefined) return tf.matMul(a, b);
  const short = a.rank === 2 && a.shape[0] <= MOST_SHORT_ROWS && transposeB && !transposeA;
  if (short && hasKernel("LetheShortProduct")) {
    return runKernel("LetheShortProduct", bias === undefined ? { a, b } : { a, b, bias })[0];
  }
  return tf.tidy(() => {
    // tfjs-wasm only reaches its fast product (XNNPACK) on operands that are laid out plainly:
    // transposing first is about fifteen times faster there, unless an operand is used so few times
    // that turning it costs more.
    const wasm = tf.getBackend() === "wasm";
    const [m, n] = [a.shape.at(transposeA ? -1 : -2)!, b.shape.at(transposeB ? -2 : -1)!];
    const turnA = transposeA && wasm && n >= WORTH_TURNING;
    const turnB = transposeB && wasm && m >= WORTH_TURNING;
    const left = turnA ? swapLastTwo(a) : a;
    const right = turnB ? swapLastTwo(b) : b;
    const product = tf.matMul(left, right, transposeA && !turnA, transposeB && !turnB);
    return bias === undefined ? product : tf.add(product, bias);
  });
}

/** Up to so many rows of a, reading b by rows beats transposing it for tfjs's product on WASM. */
const MOST_SHORT_ROWS = 64;

/** Rows or columns of the other operand from which on it pays to transpose one on WASM. */
const WORTH_TURNING = 8;

/** [.., m, n] to [.., n, m]. */
function swapLastTwo(x: tf.Tensor): tf.Tensor {
  const [m, n] = x.shape.slice(-2);
  // One row or column lies in memory as its transpose does.
  if (m === 1 || n === 1) return tf.reshape(x, [...x.shape.slice(0, -2), n, m]);
  return tf.transpose(x, x.rank === 2 ? [1, 0] : [0, 2, 1]);
}
