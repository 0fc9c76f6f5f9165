import type { TensorInfo } from "@tensorflow/tfjs";
import type { WebGPUBackend } from "@tensorflow/tfjs-backend-webgpu";
import type { LetheBackend } from "../../../backend/lethe_backend.ts";
import { cover, flatIndex, runProgram } from "../program.ts";

const LANES = 64;

/**
 * One program over a whole piece of weights, which it changes where they lie, with their moments.
 *
 * @param moments by their names in the code
 * @param numbers what changes from step to step, `N` in the code
 * @param constants f32 uniforms
 * @param code WGSL on element `i`: theta is `result[i]`, its gradient `G[i]`
 */
function inPlace(
  backend: LetheBackend,
  key: string,
  theta: TensorInfo,
  moments: Readonly<Record<string, TensorInfo>>,
  gradient: TensorInfo,
  numbers: TensorInfo,
  constants: Readonly<Record<string, number>>,
  firstKind: number,
  code: string,
): void {
  const count = theta.shape[0] / 4;
  runProgram(
    backend as unknown as WebGPUBackend,
    {
      key,
      inputs: ["G", "N"],
      widths: [4, 1, 4],
      writes: Object.keys(moments).map((name) => ({ name, width: 4 })),
      workgroupSize: [LANES, 1, 1],
      workgroups: cover(count, LANES),
      outputShape: theta.shape,
      uniforms: [
        { name: "count", type: "i32", value: count },
        { name: "firstKind", type: "i32", value: firstKind / 16 },
        ...Object.entries(constants)
          .map(([name, value]) => ({ name, type: "f32" as const, value })),
      ],
      code: `fn main() {
        let i = ${flatIndex(LANES)};
        if (i >= uniforms.count) { return; }
        ${code}
      }`,
    },
    [gradient, numbers],
    theta,
    Object.values(moments),
  );
}

/**
 * torch's AdamW on a piece, with AMSGrad where there is a `vmax`.
 *
 * @param numbers [3]: 1 - lr wd, lr / (1 - beta1^t), 1 / sqrt(1 - beta2^t)
 * @param decaying bytes of the piece up to which weights decay
 */
export function adamWInPlace(
  backend: LetheBackend,
  theta: TensorInfo,
  { m, v, vmax }: { m: TensorInfo; v: TensorInfo; vmax?: TensorInfo },
  gradient: TensorInfo,
  numbers: TensorInfo,
  { beta1, beta2, epsilon }: { beta1: number; beta2: number; epsilon: number },
  decaying: number,
): void {
  inPlace(
    backend,
    `adamW in place${vmax ? " amsgrad" : ""}`,
    theta,
    vmax ? { M: m, V: v, Largest: vmax } : { M: m, V: v },
    gradient,
    numbers,
    { beta1, rest1: 1 - beta1, beta2, rest2: 1 - beta2, epsilon },
    decaying,
    `let g = G[i];
    let m = uniforms.beta1 * M[i] + uniforms.rest1 * g;
    let v = uniforms.beta2 * V[i] + uniforms.rest2 * g * g;
    M[i] = m;
    V[i] = v;
    ${vmax ? "let second = max(Largest[i], v); Largest[i] = second;" : "let second = v;"}
    let keep = select(1.0, N[0], i < uniforms.firstKind);
    result[i] = keep * result[i] - N[1] * m / (sqrt(second) * N[2] + uniforms.epsilon);`,
  );
}

/** torch's SGD with momentum on a piece. @param numbers [1]: the learning rate */
export function sgdInPlace(
  backend: LetheBackend,
  theta: TensorInfo,
  velocity: TensorInfo,
  gradient: TensorInfo,
  numbers: TensorInfo,
  { momentum, weightDecay }: { momentum: number; weightDecay: number },
): void {
  inPlace(
    backend,
    "sgd in place",
    theta,
    { U: velocity },
    gradient,
    numbers,
    { momentum, weightDecay },
    0,
    `let u = uniforms.momentum * U[i] + (G[i] + uniforms.weightDecay * result[i]);
    U[i] = u;
    result[i] = result[i] - N[0] * u;`,
  );
}
