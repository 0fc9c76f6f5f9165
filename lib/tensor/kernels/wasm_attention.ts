import * as tf from "@tensorflow/tfjs";
import type { BackendWasm } from "@tensorflow/tfjs-backend-wasm";

/**
 * Attention on tfjs's WASM backend, as loops over its heap.
 *
 * The composition of stock ops spends its time in rank-5 transposes and in batched products of tiny
 * matrices, which tfjs-wasm does at 2 GFLOP/s. One head of one image fits the cache, so plain loops over
 * copies of its q, k and v are several times faster.
 */

/** out[i, j] (+)= scale sum_k a[i, k] b[j, k]: rows of a against rows of b. */
function rowsByRows(
  out: Float32Array,
  a: Float32Array,
  b: Float32Array,
  m: number,
  n: number,
  k: number,
  scale: number,
): void {
  for (let i = 0; i < m; i++) {
    const ai = i * k;
    let j = 0;
    for (; j + 4 <= n; j += 4) {
      const [b0, b1, b2, b3] = [j * k, (j + 1) * k, (j + 2) * k, (j + 3) * k];
      let s0 = 0, s1 = 0, s2 = 0, s3 = 0;
      for (let p = 0; p < k; p++) {
        const x = a[ai + p];
        s0 += x * b[b0 + p];
        s1 += x * b[b1 + p];
        s2 += x * b[b2 + p];
        s3 += x * b[b3 + p];
      }
      const o = i * n + j;
      out[o] = s0 * scale;
      out[o + 1] = s1 * scale;
      out[o + 2] = s2 * scale;
      out[o + 3] = s3 * scale;
    }
    for (; j < n; j++) {
      let s = 0;
      for (let p = 0; p < k; p++) s += a[ai + p] * b[j * k + p];
      out[i * n + j] = s * scale;
    }
  }
}

/** out[i, c] = scale sum_j a[i, j] b[j, c], or with a transposed: sum_j a[j, i] b[j, c]. */
function rowsByColumns(
  out: Float32Array,
  a: Float32Array,
  b: Float32Array,
  m: number,
  n: number,
  k: number,
  transposed: boolean,
  scale: number,
): void {
  const [rowStep, innerStep] = transposed ? [1, m] : [n, 1];
  for (let i = 0; i < m; i++) {
    for (let c = 0; c < k; c += 4) {
      let s0 = 0, s1 = 0, s2 = 0, s3 = 0;
      for (let j = 0; j < n; j++) {
        const x = a[i * rowStep + j * innerStep];
        const p = j * k + c;
        s0 += x * b[p];
        s1 += x * b[p + 1];
        s2 += x * b[p + 2];
        s3 += x * b[p + 3];
      }
      const o = i * k + c;
      out[o] = s0 * scale;
      out[o + 1] = s1 * scale;
      out[o + 2] = s2 * scale;
      out[o + 3] = s3 * scale;
    }
  }
}

/** Copies rows of `width` columns that lie `stride` apart into a dense block, or back. */
function gather(
  dense: Float32Array,
  heap: Float32Array,
  from: number,
  rows: number,
  width: number,
  stride: number,
): void {
  for (let i = 0; i < rows; i++) {
    for (let c = 0; c < width; c++) dense[i * width + c] = heap[from + i * stride + c];
  }
}

function scatter(
  heap: Float32Array,
  dense: Float32Array,
  to: number,
  rows: number,
  width: number,
  stride: number,
): void {
  for (let i = 0; i < rows; i++) {
    for (let c = 0; c < width; c++) heap[to + i * stride + c] = dense[i * width + c];
  }
}

function softmaxRows(rows: Float32Array, n: number): void {
  for (let from = 0; from < n * n; from += n) {
    let largest = -Infinity;
    for (let j = 0; j < n; j++) largest = Math.max(largest, rows[from + j]);
    let sum = 0;
    for (let j = 0; j < n; j++) sum += rows[from + j] = Math.exp(rows[from + j] - largest);
    for (let j = 0; j < n; j++) rows[from + j] /= sum;
  }
}

interface KernelArguments {
  // tfjs types a kernel's inputs as a map of any names; these are the ones that the ops pass.
  inputs: Record<string, tf.TensorInfo>;
  backend: BackendWasm;
  attrs: { heads: number };
}

/** Sizes of one attention: images, tokens, width, width of a head padded to a multiple of four. */
function sizes({ inputs, attrs: { heads } }: KernelArguments) {
  const [b, n, width] = inputs.qkv.shape;
  return { b, n, d: width / 3, heads, headDim: width / 3 / heads };
}

/** `LetheAttention`: qkv [b, n, 3 d] to [out [b, n, d], probabilities [b heads, n, n]]. */
function forward(args: KernelArguments): tf.TensorInfo[] {
  const { backend, inputs: { qkv } } = args;
  const { b, n, d, heads, headDim } = sizes(args);
  const out = backend.makeOutput([b, n, d], "float32");
  const probabilities = backend.makeOutput([b * heads, n, n], "float32");
  // Views come after the outputs: making one may grow the heap and void older views.
  const x = backend.typedArrayFromHeap(qkv) as Float32Array;
  const y = backend.typedArrayFromHeap(out) as Float32Array;
  const p = backend.typedArrayFromHeap(probabilities) as Float32Array;
  const block = () => new Float32Array(n * headDim + 4);
  const [q, k, v, o] = [block(), block(), block(), block()];
  for (let i = 0; i < b; i++) {
    for (let h = 0; h < heads; h++) {
      const from = i * n * 3 * d + h * headDim;
      gather(q, x, from, n, headDim, 3 * d);
      gather(k, x, from + d, n, headDim, 3 * d);
      gather(v, x, from + 2 * d, n, headDim, 3 * d);
      const at = (i * heads + h) * n * n;
      const weights = p.subarray(at, at + n * n);
      rowsByRows(weights, q, k, n, n, headDim, 1 / Math.sqrt(headDim));
      softmaxRows(weights, n);
      rowsByColumns(o, weights, v, n, n, headDim, false, 1);
      scatter(y, o, i * n * d + h * headDim, n, headDim, d);
    }
  }
  return [out, probabilities];
}

/** `LetheAttentionGrad`: dy [b, n, d], qkv and the probabilities to dqkv [b, n, 3 d]. */
function backward(args: KernelArguments): tf.TensorInfo {
  const { backend, inputs: { dy, qkv, probs } } = args;
  const { b, n, d, heads, headDim } = sizes(args);
  const out = backend.makeOutput([b, n, 3 * d], "float32");
  const x = backend.typedArrayFromHeap(qkv) as Float32Array;
  const g = backend.typedArrayFromHeap(dy) as Float32Array;
  const p = backend.typedArrayFromHeap(probs) as Float32Array;
  const dx = backend.typedArrayFromHeap(out) as Float32Array;
  const block = () => new Float32Array(n * headDim + 4);
  const [q, k, v, dO, part] = [block(), block(), block(), block(), block()];
  const dS = new Float32Array(n * n);
  const scale = 1 / Math.sqrt(headDim);
  for (let i = 0; i < b; i++) {
    for (let h = 0; h < heads; h++) {
      const from = i * n * 3 * d + h * headDim;
      gather(q, x, from, n, headDim, 3 * d);
      gather(k, x, from + d, n, headDim, 3 * d);
      gather(v, x, from + 2 * d, n, headDim, 3 * d);
      gather(dO, g, i * n * d + h * headDim, n, headDim, d);
      const at = (i * heads + h) * n * n;
      const weights = p.subarray(at, at + n * n);
      rowsByColumns(part, weights, dO, n, n, headDim, true, 1);
      scatter(dx, part, from + 2 * d, n, headDim, 3 * d);
      rowsByRows(dS, dO, v, n, n, headDim, 1);
      for (let r = 0; r < n * n; r += n) {
        let along = 0;
        for (let j = 0; j < n; j++) along += weights[r + j] * dS[r + j];
        for (let j = 0; j < n; j++) dS[r + j] = weights[r + j] * (dS[r + j] - along);
      }
      rowsByColumns(part, dS, k, n, n, headDim, false, scale);
      scatter(dx, part, from, n, headDim, 3 * d);
      rowsByColumns(part, dS, q, n, n, headDim, true, scale);
      scatter(dx, part, from + d, n, headDim, 3 * d);
    }
  }
  return out;
}

/** Registers attention, forward and backward, for the WASM backend. */
export function registerWasmAttention(): void {
  for (
    const [kernelName, kernelFunc] of [
      ["LetheAttention", forward],
      ["LetheAttentionGrad", backward],
    ] as const
  ) {
    tf.registerKernel({
      kernelName,
      backendName: "wasm",
      kernelFunc: (args) => kernelFunc(args as unknown as KernelArguments),
    });
  }
}
