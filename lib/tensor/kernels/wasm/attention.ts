import type { TensorInfo } from "@tensorflow/tfjs";
import { onHeap, registerWasmKernel, type WasmKernelArguments } from "./kernel.ts";
import {
  type Matrix,
  padded,
  type ProductModule,
  productModule,
  TILE_COLUMNS,
  TILE_ROWS,
} from "./product.ts";

/**
 * Attention on tfjs's WASM backend, head by head: one head of one image fits the cache, so its q, k and
 * v are copied into the product module's memory, padded with zeros, and all of it is done there. The
 * composition of stock ops spends its time in rank-5 transposes and transposed products.
 */

/** Sizes of one head, padded to what the product covers: tokens as rows and as columns, its width. */
interface HeadSizes {
  readonly n: number;
  readonly headDim: number;
  readonly rows: number;
  readonly columns: number;
  readonly width: number;
}

let productModuleOnce: ProductModule | undefined;

/** Matrices side by side in the product module's memory, all zero. */
function scratch({ rows, columns, width }: HeadSizes, squares: number, tall: number, wide: number) {
  productModuleOnce ??= productModule();
  const product = productModuleOnce;
  const counts = [rows * columns, rows * width, width * columns];
  const total = squares * counts[0] + tall * counts[1] + wide * counts[2];
  product.reserve(total);
  const floats = product.floats();
  floats.fill(0, 0, total);
  let offset = 0;
  const take = (count: number, row: number): Matrix => {
    const matrix = { offset, row, step: 1 };
    offset += count;
    return matrix;
  };
  const many = (number: number, count: number, row: number) =>
    Array.from({ length: number }, () => take(count, row));
  return {
    product,
    floats,
    /** [rows, columns] */
    squares: many(squares, counts[0], columns),
    /** [rows, width] */
    tall: many(tall, counts[1], width),
    /** [width, columns] */
    wide: many(wide, counts[2], columns),
  };
}

const transposed = ({ offset, row, step }: Matrix): Matrix => ({ offset, row: step, step: row });

/** Copies m x n elements between two places. */
function copy(
  to: Float32Array,
  target: Matrix,
  from: Float32Array,
  source: Matrix,
  m: number,
  n: number,
): void {
  for (let i = 0; i < m; i++) {
    const [t, s] = [target.offset + i * target.row, source.offset + i * source.row];
    for (let j = 0; j < n; j++) to[t + j * target.step] = from[s + j * source.step];
  }
}

/** softmax over the first n columns; the others stay as they are. */
function softmaxRows(floats: Float32Array, { offset, row }: Matrix, n: number): void {
  for (let i = 0; i < n; i++) {
    const [from, to] = [offset + i * row, offset + i * row + n];
    let largest = -Infinity;
    for (let j = from; j < to; j++) largest = Math.max(largest, floats[j]);
    let sum = 0;
    for (let j = from; j < to; j++) sum += floats[j] = Math.exp(floats[j] - largest);
    for (let j = from; j < to; j++) floats[j] /= sum;
  }
}

/** g becomes P (g - rowsum(P g)), softmax's derivative. */
function softmaxDerivative(floats: Float32Array, p: Matrix, g: Matrix, n: number): void {
  for (let i = 0; i < n; i++) {
    const [atP, atG] = [p.offset + i * p.row, g.offset + i * g.row];
    let along = 0;
    for (let j = 0; j < n; j++) along += floats[atP + j] * floats[atG + j];
    for (let j = 0; j < n; j++) floats[atG + j] = floats[atP + j] * (floats[atG + j] - along);
  }
}

/** Sizes of one attention and where a head's columns lie in qkv [b, n, 3 d] and in [b, n, d]. */
function layout({ inputs, attrs: { heads } }: WasmKernelArguments) {
  const [b, n, total] = inputs.qkv.shape;
  const d = total / 3;
  const headDim = d / heads;
  const size: HeadSizes = {
    n,
    headDim,
    rows: padded(n, TILE_ROWS),
    columns: padded(n, TILE_COLUMNS),
    width: padded(headDim, TILE_COLUMNS),
  };
  // One after the other: a list of all heads would outlive the collector's young generation.
  const headOf = (index: number) => {
    const [image, head] = [Math.floor(index / heads), index % heads];
    const part = (i: number): Matrix => ({
      offset: image * n * total + i * d + head * headDim,
      row: total,
      step: 1,
    });
    return {
      q: part(0),
      k: part(1),
      v: part(2),
      out: { offset: image * n * d + head * headDim, row: d, step: 1 },
      probabilities: { offset: index * n * n, row: n, step: 1 },
    };
  };
  return { b, n, d, heads, size, headOf };
}

/** `LetheAttention`: qkv [b, n, 3 d] to [out [b, n, d], probabilities [b heads, n, n]]. */
function forward(args: WasmKernelArguments): TensorInfo[] {
  const { backend, inputs: { qkv } } = args;
  const { b, n, d, heads, size, headOf } = layout(args);
  const { headDim, rows, columns, width } = size;
  const shapes = [[b, n, d], [b * heads, n, n]];
  const { outputs, from: [x], to: [y, p] } = onHeap(backend, [qkv], shapes);
  const { product, floats, squares: [s], tall: [q, v, o], wide: [kT] } = scratch(size, 1, 3, 1);
  for (let index = 0; index < b * heads; index++) {
    const head = headOf(index);
    copy(floats, q, x, head.q, n, headDim);
    copy(floats, transposed(kT), x, head.k, n, headDim);
    copy(floats, v, x, head.v, n, headDim);
    product.multiply(q, kT, s, rows, columns, headDim, 1 / Math.sqrt(headDim));
    softmaxRows(floats, s, n);
    copy(p, head.probabilities, floats, s, n, n);
    product.multiply(s, v, o, rows, width, n, 1);
    copy(y, head.out, floats, o, n, headDim);
  }
  return outputs;
}

/** `LetheAttentionGrad`: dy [b, n, d], qkv and the probabilities to dqkv [b, n, 3 d]. */
function backward(args: WasmKernelArguments): TensorInfo {
  const { backend, inputs: { dy, qkv, rest: probs } } = args;
  const { b, n, heads, size, headOf } = layout(args);
  const { headDim, rows, columns, width } = size;
  const { outputs, from: [x, g, probabilities], to: [dx] } = onHeap(
    backend,
    [qkv, dy, probs],
    [qkv.shape],
  );
  const { product, floats, squares: [p, dS], tall: [q, k, dO, part], wide: [vT] } = scratch(
    size,
    2,
    4,
    1,
  );
  const scale = 1 / Math.sqrt(headDim);
  for (let index = 0; index < b * heads; index++) {
    const head = headOf(index);
    copy(floats, q, x, head.q, n, headDim);
    copy(floats, k, x, head.k, n, headDim);
    copy(floats, transposed(vT), x, head.v, n, headDim);
    copy(floats, dO, g, head.out, n, headDim);
    copy(floats, p, probabilities, head.probabilities, n, n);
    product.multiply(transposed(p), dO, part, rows, width, n, 1);
    copy(dx, head.v, floats, part, n, headDim);
    product.multiply(dO, vT, dS, rows, columns, headDim, 1);
    softmaxDerivative(floats, p, dS, n);
    product.multiply(dS, k, part, rows, width, n, scale);
    copy(dx, head.q, floats, part, n, headDim);
    product.multiply(transposed(dS), q, part, rows, width, n, scale);
    copy(dx, head.k, floats, part, n, headDim);
  }
  return outputs[0];
}

/** Registers attention, forward and backward, for the WASM backend. */
export function registerWasmAttention(): void {
  registerWasmKernel("LetheAttention", forward);
  registerWasmKernel("LetheAttentionGrad", backward);
}
