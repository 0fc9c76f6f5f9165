import type { TensorInfo } from "@tensorflow/tfjs";
import {
  cover,
  flatIndex,
  type KernelArguments,
  type KernelProgram,
  runProgram,
} from "./program.ts";

const SIZE = 64;

/** One program over all elements of equally shaped tensors. */
function update(
  { backend, attrs }: KernelArguments,
  key: string,
  inputs: Readonly<Record<string, TensorInfo>>,
  numbers: readonly string[],
  value: string,
): TensorInfo {
  const { shape } = Object.values(inputs)[0];
  const size = shape.reduce((a, b) => a * b, 1);
  const uniforms: KernelProgram["uniforms"] = [
    { name: "count", type: "i32", value: size },
    ...numbers.map((name) => ({ name, type: "f32" as const, value: attrs[name] as number })),
  ];
  return runProgram(backend, {
    key,
    inputs: Object.keys(inputs),
    workgroupSize: [SIZE, 1, 1],
    workgroups: cover(size, SIZE),
    outputShape: shape,
    uniforms,
    code: `fn main() {
      let i = ${flatIndex(SIZE)};
      if (i < uniforms.count) { ${value} }
    }`,
  }, Object.values(inputs));
}

/** `LetheAdamW` (torch's AdamW without AMSGrad): theta, gradient, m, v to the next [theta, m, v]. */
export function adamWKernel(args: KernelArguments): TensorInfo[] {
  const { theta, gradient, m, v } = args.inputs;
  const { beta1, beta2, step, learningRate, weightDecay } = args.attrs as Record<string, number>;
  const nextM = update(
    args,
    "adamW m",
    { M: m, G: gradient },
    ["beta1"],
    "result[i] = uniforms.beta1 * M[i] + (1.0 - uniforms.beta1) * G[i];",
  );
  const nextV = update(
    args,
    "adamW v",
    { V: v, G: gradient },
    ["beta2"],
    "result[i] = uniforms.beta2 * V[i] + (1.0 - uniforms.beta2) * G[i] * G[i];",
  );
  const attrs = {
    ...args.attrs,
    keep: 1 - learningRate * weightDecay,
    rate: learningRate / (1 - beta1 ** step),
    correction: 1 / Math.sqrt(1 - beta2 ** step),
  };
  const next = update(
    { ...args, attrs },
    "adamW theta",
    { T: theta, M: nextM, V: nextV },
    ["keep", "rate", "correction", "epsilon"],
    "result[i] = uniforms.keep * T[i] - uniforms.rate * M[i] / " +
      "(sqrt(V[i]) * uniforms.correction + uniforms.epsilon);",
  );
  return [next, nextM, nextV];
}

/** `LetheSgd` (torch's SGD with momentum): theta, gradient, velocity to the next [theta, velocity]. */
export function sgdKernel(args: KernelArguments): TensorInfo[] {
  const { theta, gradient, velocity } = args.inputs;
  const next = update(
    args,
    "sgd velocity",
    { U: velocity, G: gradient, T: theta },
    ["momentum", "weightDecay"],
    "result[i] = uniforms.momentum * U[i] + G[i] + uniforms.weightDecay * T[i];",
  );
  const moved = update(
    args,
    "sgd theta",
    { T: theta, U: next },
    ["learningRate"],
    "result[i] = T[i] - uniforms.learningRate * U[i];",
  );
  return [moved, next];
}
