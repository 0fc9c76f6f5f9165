import type { TensorInfo } from "@tensorflow/tfjs";
import { type KernelArguments, release, runProgram } from "./program.ts";

/**
 * Attention in four kernels: an invocation owns one row (a query going forward, a query or a key going
 * back) of one head of one image, keeps its vector in registers and walks over the other tokens, whose
 * loads are the same for neighbouring invocations. No transpose is materialised.
 */

/** Invocations per workgroup: rows of one head stand side by side. */
const LANES = 8;

interface Sizes {
  readonly b: number;
  readonly n: number;
  readonly d: number;
  readonly heads: number;
  readonly headDim: number;
}

function sizesOf({ inputs, attrs }: KernelArguments): Sizes {
  const [b, n, width] = inputs.qkv.shape;
  const heads = attrs.heads as number;
  return { b, n, d: width / 3, heads, headDim: width / 3 / heads };
}

const uniformsOf = ({ n, d, heads }: Sizes) =>
  Object.entries({ n, d, heads }).map(([name, value]) => ({ name, type: "i32" as const, value }));

const range = (n: number) => Array.from({ length: n }, (_, i) => i);
const each = (n: number, line: (c: number) => string) => range(n).map(line).join("\n");

/**
 * Where an invocation stands: `i` its row, `head` and `image`; `cells` the start of its head's [n, n]
 * block and `columns` the head's first column.
 */
const PLACE = (headDim: number) => `
  let n = uniforms.n; let d = uniforms.d; let heads = uniforms.heads;
  let i = i32(workgroupId.x) * ${LANES} + i32(localId.x);
  let block = i32(workgroupId.y);
  let image = block / heads;
  let columns = (block % heads) * ${headDim};
  let cells = block * n * n;
  let qkvBase = image * n * 3 * d + columns;
  let outBase = image * n * d + columns;
  if (i >= n) { return; }`;

const placement = ({ b, n, heads }: Sizes) => ({
  workgroupSize: [LANES, 1, 1] as const,
  workgroups: [Math.ceil(n / LANES), b * heads, 1] as const,
});

/** P = softmax(s Q KT): [b heads, n, n]. */
function probabilities(args: KernelArguments, sizes: Sizes): TensorInfo {
  const { headDim, b, heads, n } = sizes;
  return runProgram(args.backend, {
    key: `attention probabilities ${headDim}`,
    inputs: ["QKV"],
    ...placement(sizes),
    outputShape: [b * heads, n, n],
    uniforms: uniformsOf(sizes),
    code: `fn main() { ${PLACE(headDim)}
      ${each(headDim, (c) => `let q${c} = QKV[qkvBase + i * 3 * d + ${c}];`)}
      var largest = -3.0e38;
      for (var j = 0; j < n; j = j + 1) {
        let k = qkvBase + j * 3 * d + d;
        var s = 0.0;
        ${each(headDim, (c) => `s = fma(q${c}, QKV[k + ${c}], s);`)}
        s = s * ${1 / Math.sqrt(headDim)};
        result[cells + i * n + j] = s;
        largest = max(largest, s);
      }
      var sum = 0.0;
      for (var j = 0; j < n; j = j + 1) {
        let e = exp(result[cells + i * n + j] - largest);
        result[cells + i * n + j] = e;
        sum = sum + e;
      }
      for (var j = 0; j < n; j = j + 1) {
        result[cells + i * n + j] = result[cells + i * n + j] / sum;
      }
    }`,
  }, [args.inputs.qkv]);
}

/** `LetheAttention`: qkv [b, n, 3 d] to [out [b, n, d], probabilities [b heads, n, n]]. */
export function attentionKernel(args: KernelArguments): TensorInfo[] {
  const sizes = sizesOf(args);
  const { headDim, b, n, d } = sizes;
  const probs = probabilities(args, sizes);
  const out = runProgram(args.backend, {
    key: `attention out ${headDim}`,
    inputs: ["QKV", "P"],
    ...placement(sizes),
    outputShape: [b, n, d],
    uniforms: uniformsOf(sizes),
    code: `fn main() { ${PLACE(headDim)}
      ${each(headDim, (c) => `var o${c} = 0.0;`)}
      for (var j = 0; j < n; j = j + 1) {
        let p = P[cells + i * n + j];
        let v = qkvBase + j * 3 * d + 2 * d;
        ${each(headDim, (c) => `o${c} = fma(p, QKV[v + ${c}], o${c});`)}
      }
      ${each(headDim, (c) => `result[outBase + i * d + ${c}] = o${c};`)}
    }`,
  }, [args.inputs.qkv, probs]);
  return [out, probs];
}

/** `LetheAttentionGrad`: dy [b, n, d], qkv and the probabilities to dqkv [b, n, 3 d]. */
export function attentionGradKernel(args: KernelArguments): TensorInfo {
  const { backend, inputs: { dy, qkv, probs } } = args;
  const sizes = sizesOf(args);
  const { headDim, b, n, d } = sizes;
  const dScores = runProgram(backend, {
    key: `attention dS ${headDim}`,
    inputs: ["DY", "QKV", "P"],
    ...placement(sizes),
    outputShape: probs.shape,
    uniforms: uniformsOf(sizes),
    code: `fn main() { ${PLACE(headDim)}
      ${each(headDim, (c) => `let g${c} = DY[outBase + i * d + ${c}];`)}
      var along = 0.0;
      for (var j = 0; j < n; j = j + 1) {
        let v = qkvBase + j * 3 * d + 2 * d;
        var s = 0.0;
        ${each(headDim, (c) => `s = fma(g${c}, QKV[v + ${c}], s);`)}
        result[cells + i * n + j] = s;
        along = fma(s, P[cells + i * n + j], along);
      }
      for (var j = 0; j < n; j = j + 1) {
        let at = cells + i * n + j;
        result[at] = P[at] * (result[at] - along);
      }
    }`,
  }, [dy, qkv, probs]);
  // z tells the part of dqkv: dQ = s dS K, dK = s dST Q, dV = PT dO.
  const place = placement(sizes);
  const out = runProgram(backend, {
    key: `attention dQKV ${headDim}`,
    inputs: ["DY", "QKV", "P", "DS"],
    workgroupSize: place.workgroupSize,
    workgroups: [place.workgroups[0], place.workgroups[1], 3],
    outputShape: [b, n, 3 * d],
    uniforms: uniformsOf(sizes),
    code: `fn main() { ${PLACE(headDim)}
      let part = i32(workgroupId.z);
      ${each(headDim, (c) => `var o${c} = 0.0;`)}
      if (part == 0) {
        for (var j = 0; j < n; j = j + 1) {
          let s = DS[cells + i * n + j] * ${1 / Math.sqrt(headDim)};
          let k = qkvBase + j * 3 * d + d;
          ${each(headDim, (c) => `o${c} = fma(s, QKV[k + ${c}], o${c});`)}
        }
      } else if (part == 1) {
        for (var j = 0; j < n; j = j + 1) {
          let s = DS[cells + j * n + i] * ${1 / Math.sqrt(headDim)};
          let q = qkvBase + j * 3 * d;
          ${each(headDim, (c) => `o${c} = fma(s, QKV[q + ${c}], o${c});`)}
        }
      } else {
        for (var j = 0; j < n; j = j + 1) {
          let p = P[cells + j * n + i];
          let g = outBase + j * d;
          ${each(headDim, (c) => `o${c} = fma(p, DY[g + ${c}], o${c});`)}
        }
      }
      let to = qkvBase + i * 3 * d + part * d;
      ${each(headDim, (c) => `result[to + ${c}] = o${c};`)}
    }`,
  }, [dy, qkv, probs, dScores]);
  release(backend, dScores);
  return out;
}
