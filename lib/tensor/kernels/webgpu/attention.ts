import type { TensorInfo } from "@tensorflow/tfjs";
import {
  flashAttention,
  flashAttentionDual,
  flashAttentionGrad,
  suitsFlash,
} from "./attention_flash.ts";
import { toHalfKernel } from "./half.ts";
import { HALF_FUNCTIONS } from "./half_source.ts";
import { type Block, multiply, type Product } from "./product.ts";
import { cover, flatIndex, type KernelArguments, release, runProgram } from "./program.ts";

/**
 * Attention as products of blocks that stay where they are: q, k and v of one head are columns of
 * qkv, so nothing is transposed or copied. Rows of the [n, n] blocks are padded with zeros to a
 * multiple of four, so that they are read four at a time.
 */

const LANES = 8;

interface Sizes {
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

function sizesOf({ inputs, attrs }: KernelArguments): Sizes {
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
function headBlock(info: TensorInfo, sizes: Sizes, part: number, alongInner: boolean): Block {
  const place = columnsOf(sizes, part, info.shape[2] / sizes.d);
  return { info, ...place, alongInner, rows: sizes.n, columns: sizes.headDim };
}

/** The same of qkv, which may be pairs of halves. */
function qkvBlock(info: TensorInfo, sizes: Sizes, part: number, alongInner: boolean): Block {
  const place = columnsOf(sizes, part, 3);
  return { info, half: sizes.half, ...place, alongInner, rows: sizes.n, columns: sizes.headDim };
}

/** The [n, padded] blocks of scores or probabilities. */
function scoreBlock(info: TensorInfo, sizes: Sizes, alongInner: boolean, half = false): Block {
  return { info, half, ...scorePlace(sizes), alongInner, rows: sizes.n, columns: sizes.padded };
}

function scorePlace({ n, padded, heads }: Sizes) {
  return { offset: 0, row: padded, image: heads * n * padded, head: n * padded };
}

/** All heads of all images: [n, headDim] x [headDim, n] gives scores. */
function scores(
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
function weigh(
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
function rowsProgram(
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
const SOFTMAX = `
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
const softmaxDerivative = (p: string) => `
  var along = 0.0;
  for (var c = 0; c < uniforms.fours; c = c + 1) { along = along + sumOf(${p} * G[start + c]); }
  for (var c = 0; c < uniforms.fours; c = c + 1) {
    result[start + c] = ${p} * (G[start + c] - along);
  }`;

/**
 * `LetheAttention`: qkv [b, n, 3 d] to [out [b, n, d], rest], rest being what the backward pass needs:
 * on a card a number per row, else the probabilities [b heads, n, n padded to a multiple of four]. With
 * `half`, qkv and the probabilities are pairs of halves.
 */
export function attentionKernel(args: KernelArguments): TensorInfo[] {
  if (suitsFlash(args)) return flashAttention(args);
  const { backend, inputs: { qkv } } = args;
  const sizes = sizesOf(args);
  const [q, k, v] = [true, true, false].map((along, part) => qkvBlock(qkv, sizes, part, along));
  const raw = scores(args, sizes, q, k, 1 / Math.sqrt(sizes.headDim));
  const softmax = rowsProgram(args, sizes, "softmax", { S: raw }, SOFTMAX);
  release(backend, raw);
  const probs = sizes.half ? toHalfKernel({ inputs: { x: softmax }, backend, attrs: {} }) : softmax;
  if (sizes.half) release(backend, softmax);
  const out = backend.makeTensorInfo([sizes.b, sizes.n, sizes.d], "float32");
  weigh(args, sizes, scoreBlock(probs, sizes, true, sizes.half), v, out, 0);
  return [out, probs];
}

/**
 * `LetheAttentionGrad`: dy [b, n, d], qkv and the forward kernel's out and rest to dqkv [b, n, 3 d].
 * dV = PT dO, dS = D(dO VT), dQ = s dS K, dK = s dST Q.
 */
export function attentionGradKernel(args: KernelArguments): TensorInfo {
  if (suitsFlash(args)) return flashAttentionGrad(args);
  const { backend, inputs: { dy, qkv, rest: probs } } = args;
  const sizes = sizesOf(args);
  const scale = 1 / Math.sqrt(sizes.headDim);
  const dP = scores(
    args,
    sizes,
    headBlock(dy, sizes, 0, true),
    qkvBlock(qkv, sizes, 2, true),
    1,
  );
  const derivative = softmaxDerivative(sizes.half ? "fourOf(P[start + c])" : "P[start + c]");
  const dS = rowsProgram(args, sizes, "softmax grad", { P: probs, G: dP }, derivative);
  release(backend, dP);
  const out = backend.makeTensorInfo([sizes.b, sizes.n, 3 * sizes.d], "float32");
  const [q, k, dO] = [
    qkvBlock(qkv, sizes, 0, false),
    qkvBlock(qkv, sizes, 1, false),
    headBlock(dy, sizes, 0, false),
  ];
  weigh(args, sizes, scoreBlock(dS, sizes, true), k, out, 0, scale);
  weigh(args, sizes, scoreBlock(dS, sizes, false), q, out, 1, scale);
  weigh(args, sizes, scoreBlock(probs, sizes, false, sizes.half), dO, out, 2);
  release(backend, dS);
  return out;
}

/**
 * `LetheAttentionDual`: qkv and its tangent dqkv [b, n, 3 d] to [out, its tangent], [b, n, d] each:
 * O' = D(s (Q' KT + Q K'T)) V + P V'.
 */
export function attentionDualKernel(args: KernelArguments): TensorInfo[] {
  if (suitsFlash(args)) return flashAttentionDual(args);
  const { backend, inputs: { qkv, dqkv } } = args;
  const sizes = sizesOf(args);
  const scale = 1 / Math.sqrt(sizes.headDim);
  const [q, k, v] = [true, true, false].map((along, part) => headBlock(qkv, sizes, part, along));
  const [dq, dk, dv] = [true, true, false].map((along, part) =>
    headBlock(dqkv, sizes, part, along)
  );
  const raw = scores(args, sizes, q, k, scale);
  const probs = rowsProgram(args, sizes, "softmax", { S: raw }, SOFTMAX);
  release(backend, raw);
  const first = scores(args, sizes, dq, k, scale);
  const moved = scores(args, sizes, q, dk, scale, first);
  const weighted = rowsProgram(
    args,
    sizes,
    "softmax grad",
    { P: probs, G: moved },
    softmaxDerivative("P[start + c]"),
  );
  const out = backend.makeTensorInfo([sizes.b, sizes.n, sizes.d], "float32");
  const [part, tangent] = [out, out].map(({ shape }) => backend.makeTensorInfo(shape, "float32"));
  weigh(args, sizes, scoreBlock(probs, sizes, true), v, out, 0);
  weigh(args, sizes, scoreBlock(weighted, sizes, true), v, part, 0);
  weigh(args, sizes, scoreBlock(probs, sizes, true), dv, tangent, 0, 1, part);
  release(backend, first, moved, weighted, probs, part);
  return [out, tangent];
}
