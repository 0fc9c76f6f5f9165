import type { TensorInfo } from "@tensorflow/tfjs";
import { elementLoop } from "./element_loop.ts";
import { minus, over, plus, squareRoot, times } from "./fours.ts";
import { onHeap, registerWasmKernel, type WasmKernelArguments } from "./kernel.ts";

/** Optimisers on tfjs's WASM backend: one pass over each weight instead of one per operation. */

const adamWLoop = elementLoop({
  inputs: 4,
  outputs: 3,
  scalars: 8,
  formula({ inputs: [w, g, m, v], scalars, keep }) {
    const [beta1, gain1, beta2, gain2, shrink, rate, correction, epsilon] = scalars;
    const first = keep(plus(times(beta1, m), times(gain1, g)));
    const second = keep(plus(times(beta2, v), times(gain2, times(g, g))));
    const deviation = plus(times(squareRoot(second), correction), epsilon);
    const next = minus(times(shrink, w), over(times(rate, first), deviation));
    return [next, first, second];
  },
});

/** `LetheAdamW` (torch's AdamW without AMSGrad): theta, gradient, m, v to the next [theta, m, v]. */
function adamW({ backend, inputs, attrs }: WasmKernelArguments): TensorInfo[] {
  const { theta, gradient, m, v } = inputs;
  const { learningRate, beta1, beta2, epsilon, weightDecay, step } = attrs;
  const shapes = [theta.shape, theta.shape, theta.shape];
  const { outputs, from, to } = onHeap(backend, [theta, gradient, m, v], shapes);
  const shrink = 1 - learningRate * weightDecay;
  const rate = learningRate / (1 - beta1 ** step);
  const correction = 1 / Math.sqrt(1 - beta2 ** step);
  const scalars = [beta1, 1 - beta1, beta2, 1 - beta2, shrink, rate, correction, epsilon];
  adamWLoop(backend, from, to, scalars);
  return outputs;
}

const sgdLoop = elementLoop({
  inputs: 3,
  outputs: 2,
  scalars: 3,
  formula({ inputs: [w, g, u], scalars: [learningRate, momentum, weightDecay], keep }) {
    const speed = keep(plus(times(momentum, u), plus(g, times(weightDecay, w))));
    return [minus(w, times(learningRate, speed)), speed];
  },
});

/** `LetheSgd` (torch's SGD with momentum): theta, gradient, velocity to the next [theta, velocity]. */
function sgd({ backend, inputs, attrs }: WasmKernelArguments): TensorInfo[] {
  const { theta, gradient, velocity } = inputs;
  const { learningRate, momentum, weightDecay } = attrs;
  const shapes = [theta.shape, theta.shape];
  const { outputs, from, to } = onHeap(backend, [theta, gradient, velocity], shapes);
  sgdLoop(backend, from, to, [learningRate, momentum, weightDecay]);
  return outputs;
}

/** Registers AdamW and SGD for the WASM backend. */
export function registerWasmOptimisers(): void {
  registerWasmKernel("LetheAdamW", adamW);
  registerWasmKernel("LetheSgd", sgd);
}
