import type { TensorInfo } from "@tensorflow/tfjs";
import { elementwise } from "./elementwise.ts";
import type { KernelArguments } from "./program.ts";

/** `LetheAdamW` (torch's AdamW without AMSGrad): theta, gradient, m, v to the next [theta, m, v]. */
export function adamWKernel(args: KernelArguments): TensorInfo[] {
  const { theta, gradient, m, v } = args.inputs;
  const { beta1, beta2, step, learningRate, weightDecay, epsilon } = args.attrs as Record<
    string,
    number
  >;
  const nextM = elementwise(
    args,
    "adamW m",
    { M: m, G: gradient },
    { beta1, rest: 1 - beta1 },
    "result[i] = uniforms.beta1 * M[i] + uniforms.rest * G[i];",
  );
  const nextV = elementwise(
    args,
    "adamW v",
    { V: v, G: gradient },
    { beta2, rest: 1 - beta2 },
    "result[i] = uniforms.beta2 * V[i] + uniforms.rest * G[i] * G[i];",
  );
  const next = elementwise(
    args,
    "adamW theta",
    { T: theta, M: nextM, V: nextV },
    {
      keep: 1 - learningRate * weightDecay,
      rate: learningRate / (1 - beta1 ** step),
      correction: 1 / Math.sqrt(1 - beta2 ** step),
      epsilon,
    },
    "result[i] = uniforms.keep * T[i] - uniforms.rate * M[i] / " +
      "(sqrt(V[i]) * uniforms.correction + uniforms.epsilon);",
  );
  return [next, nextM, nextV];
}

/** `LetheSgd` (torch's SGD with momentum): theta, gradient, velocity to the next [theta, velocity]. */
export function sgdKernel(args: KernelArguments): TensorInfo[] {
  const { theta, gradient, velocity } = args.inputs;
  const { momentum, weightDecay, learningRate } = args.attrs as Record<string, number>;
  const moved = elementwise(
    args,
    "sgd velocity",
    { U: velocity, G: gradient, T: theta },
    { momentum, weightDecay },
    "result[i] = uniforms.momentum * U[i] + (G[i] + uniforms.weightDecay * T[i]);",
  );
  const next = elementwise(
    args,
    "sgd theta",
    { T: theta, U: moved },
    { learningRate },
    "result[i] = T[i] - uniforms.learningRate * U[i];",
  );
  return [next, moved];
}
