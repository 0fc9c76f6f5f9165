import type { TensorInfo } from "@tensorflow/tfjs";
import { HALF_FUNCTIONS } from "../half_source.ts";
import { type Block, multiply, type Product } from "../product.ts";
import { cover, flatIndex, type KernelArguments, runProgram } from "../program.ts";

/**
 * Attention as products of blocks that stay where they are: q, k and v of one head are columns of
 * qkv, so nothing is transposed or copied. Rows of the [n, n] blocks are padded with zeros to a
 * multiple of four, so that they are read four at a time.
 */

const LANES = 8;

/** Of a call. */
export interface Sizes {
  readonly b: number;
  readonly n: number;
  /** n, rounded up to a multiple of four. */
  readonly padded: number;
  readonly d: number;
  readonly heads: number;
  readonly headDim: number;
  /** Whether qkv and the probabilities are pairs of halves. */
  readonly half: boolean;
}

/** The sizes of a call. */
export function sizesOf({ inputs, attrs }: KernelArguments): Sizes {
  const [b, n, words] = inputs.qkv.shape;
  const half = Boolean(attrs.half);
  const [d, heads] = [(half ? 2 * words : words) / 3, attrs.heads as number];
  return { b, n, padded: Math.ceil(n / 4) * 4, d, heads, headDim: d / heads, half };
}

/** One head's columns of qkv (part 0, 1, 2), or with `parts` 1 of an [b, n, d] tensor. */
function columnsOf({ n, d, headDim }: Sizes, part: number, parts: number) {
  return { offset: part * d, row: parts * d, image: n * parts * d, head: headDim };
}

/** Rows of one head's columns of a float32 tensor, inner axis along them or across. */
export function headBlock(
  info: TensorInfo,
  sizes: Sizes,
  part: number,
  alongInner: boolean,
): Block {
  const place = columnsOf(sizes, part, info.shape[2] / sizes.d);
  return { info, ...place, alongInner, rows: sizes.n, columns: sizes.headDim };
}

/** The same of qkv, which may be pairs of halves. */
export function qkvBlock(info: TensorInfo, sizes: Sizes, part: number, alongInner: boolean): Block {
  const place = columnsOf(sizes, part, 3);
  return { info, half: sizes.half, ...place, alongInner, rows: sizes.n, columns: sizes.headDim };
}

/** The [n, padded] blocks of scores or probabilities. */
export function scoreBlock(
  info: TensorInfo,
  sizes: Sizes,
  alongInner: boolean,
  half = false,
): Block {
  return { info, half, ...scorePlace(sizes), alongInner, rows: sizes.n, columns: sizes.padded };
}

function scorePlace({ n, padded, heads }: Sizes) {
  return { offset: 0, row: padded, image: heads * n * padded, head: n * padded };
}

/** All heads of all images: [n, headDim] x [headDim, n] gives scores. */
export function scores(
  { backend }: KernelArguments,
  sizes: Sizes,
  a: Block,
  b: Block,
  scale: number,
  add?: TensorInfo,
): TensorInfo {
  const { n, padded, heads, headDim: k } = sizes;
  const output = backend.makeTensorInfo([sizes.b * heads, n, padded], "float32");
  const c = scorePlace(sizes);
  const ending = add && { add };
  multiply(backend, { a, b, c, output, images: sizes.b, heads, m: n, n: padded, k, scale, ending });
  return output;
}

/** Scores times rows of a head, into `output`'s part, plus the same of `add`. */
export function weigh(
  { backend }: KernelArguments,
  sizes: Sizes,
  weights: Block,
  values: Block,
  output: TensorInfo,
  part: number,
  scale = 1,
  add?: TensorInfo,
): void {
  const { n, heads, headDim } = sizes;
  const product: Product = {
    a: weights,
    b: values,
    c: columnsOf(sizes, part, output.shape[2] / sizes.d),
    output,
    images: sizes.b,
    heads,
    m: n,
    n: headDim,
    // The padding is zero: reading it whole keeps the rows in fours.
    k: weights.alongInner ? sizes.padded : n,
    scale,
    ...add ? { ending: { add } } : {},
  };
  multiply(backend, product);
}

/** One row of scores per invocation; `code` sees its first four, `start`. `P` may be halves. */
export function rowsProgram(
  { backend }: KernelArguments,
  { b, n, padded, heads, half }: Sizes,
  key: string,
  inputs: Readonly<Record<string, TensorInfo>>,
  code: string,
): TensorInfo {
  const rows = b * heads * n;
  const names = Object.keys(inputs);
  const isHalf = (name: string) => half && name === "P";
  return runProgram(backend, {
    key: `attention ${key}${names.some(isHalf) ? " half" : ""}`,
    inputs: names,
    widths: [...names.map((name) => isHalf(name) ? 2 : 4), 4],
    words: names.map(isHalf),
    workgroupSize: [LANES, 1, 1],
    workgroups: cover(rows, LANES),
    outputShape: [b * heads, n, padded],
    uniforms: Object.entries({ rows, n, fours: padded / 4 })
      .map(([name, value]) => ({ name, type: "i32", value })),
    code: `${names.some(isHalf) ? HALF_FUNCTIONS : ""}
    // Which of the four columns from 4 c on are tokens.
    fn isToken(c : i32) -> vec4<bool> {
      return vec4<i32>(4 * c) + vec4<i32>(0, 1, 2, 3) < vec4<i32>(uniforms.n);
    }
    fn sumOf(x : vec4<f32>) -> f32 { return (x.x + x.y) + (x.z + x.w); }
    fn main() {
      let row = ${flatIndex(LANES)};
      if (row >= uniforms.rows) { return; }
      let start = row * uniforms.fours;
      ${code}
    }`,
  }, Object.values(inputs));
}

/** softmax over the tokens, zero in the padding. */
export const SOFTMAX = `
  var largest = -3.0e38;
  for (var c = 0; c < uniforms.fours; c = c + 1) {
    let s = select(vec4<f32>(-3.0e38), S[start + c], isToken(c));
    largest = max(largest, max(max(s.x, s.y), max(s.z, s.w)));
  }
  var sum = 0.0;
  for (var c = 0; c < uniforms.fours; c = c + 1) {
    let e = select(vec4<f32>(0.0), exp(S[start + c] - largest), isToken(c));
    result[start + c] = e;
    sum = sum + sumOf(e);
  }
  for (var c = 0; c < uniforms.fours; c = c + 1) { result[start + c] = result[start + c] / sum; }`;

/** P (g - rowsum(P g)), softmax's derivative. */
export const softmaxDerivative = (p: string) => `
  var along = 0.0;
  for (var c = 0; c < uniforms.fours; c = c + 1) { along = along + sumOf(${p} * G[start + c]); }
  for (var c = 0; c < uniforms.fours; c = c + 1) {
    result[start + c] = ${p} * (G[start + c] - along);
  }`;
