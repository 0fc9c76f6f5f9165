import type { TensorInfo } from "@tensorflow/tfjs";
import { onHeap, registerWasmKernel, type WasmKernelArguments } from "./wasm_kernel.ts";

/** Optimisers on tfjs's WASM backend: one pass over each weight instead of one per operation. */

/** `LetheAdamW` (torch's AdamW without AMSGrad): theta, gradient, m, v to the next [theta, m, v]. */
function adamW({ backend, inputs, attrs }: WasmKernelArguments): TensorInfo[] {
  const { theta, gradient, m, v } = inputs;
  const { learningRate, beta1, beta2, epsilon, weightDecay, step } = attrs;
  const shapes = [theta.shape, theta.shape, theta.shape];
  const { outputs, from: [w, g, m0, v0], to: [next, m1, v1] } = onHeap(
    backend,
    [theta, gradient, m, v],
    shapes,
  );
  const keep = 1 - learningRate * weightDecay;
  const rate = learningRate / (1 - beta1 ** step);
  const correction = 1 / Math.sqrt(1 - beta2 ** step);
  for (let i = 0; i < next.length; i++) {
    const x = g[i];
    const first = beta1 * m0[i] + (1 - beta1) * x;
    const second = beta2 * v0[i] + (1 - beta2) * x * x;
    m1[i] = first;
    v1[i] = second;
    next[i] = keep * w[i] - rate * first / (Math.sqrt(second) * correction + epsilon);
  }
  return outputs;
}

/** `LetheSgd` (torch's SGD with momentum): theta, gradient, velocity to the next [theta, velocity]. */
function sgd({ backend, inputs, attrs }: WasmKernelArguments): TensorInfo[] {
  const { theta, gradient, velocity } = inputs;
  const { learningRate, momentum, weightDecay } = attrs;
  const { outputs, from: [w, g, u], to: [next, moved] } = onHeap(
    backend,
    [theta, gradient, velocity],
    [theta.shape, theta.shape],
  );
  for (let i = 0; i < next.length; i++) {
    const speed = momentum * u[i] + g[i] + weightDecay * w[i];
    moved[i] = speed;
    next[i] = w[i] - learningRate * speed;
  }
  return outputs;
}

/** Registers AdamW and SGD for the WASM backend. */
export function registerWasmOptimisers(): void {
  registerWasmKernel("LetheAdamW", adamW);
  registerWasmKernel("LetheSgd", sgd);
}
