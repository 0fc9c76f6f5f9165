import type { TensorInfo } from "@tensorflow/tfjs";
import { toHalfKernel } from "../half.ts";
import { type KernelArguments, release } from "../program.ts";
import {
  headBlock,
  qkvBlock,
  rowsProgram,
  scoreBlock,
  scores,
  sizesOf,
  SOFTMAX,
  softmaxDerivative,
  weigh,
} from "./blocks.ts";
import { suitsFlash } from "./flash.ts";
import { flashAttentionDual } from "./flash_dual.ts";
import { flashAttention } from "./flash_forward.ts";
import { flashAttentionGrad } from "./flash_gradient.ts";

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
