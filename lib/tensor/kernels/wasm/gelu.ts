import type { TensorInfo } from "@tensorflow/tfjs";
import type { Code } from "./assembler.ts";
import { elementLoop, type FormulaParts } from "./element_loop.ts";
import {
  absolute,
  exponential,
  larger,
  minus,
  over,
  plus,
  polynomial,
  smaller,
  times,
  whereLess,
} from "./fours.ts";
import { onHeap, registerWasmKernel, type WasmKernelArguments } from "./kernel.ts";

/**
 * GELU on tfjs's WASM backend, forward and backward in one pass each, four elements at a time, where
 * compositions of stock ops take five and ten.
 */

/** Beyond it x phi(x) and x (1 - Phi(x)) are below 1e-36, and infinities would give NaN. */
const FAR = 13;

/**
 * x within +-{@link FAR}, exp(-x^2 / 2) and Phi(x): the polynomial of Abramowitz & Stegun 7.1.26, as in
 * the WGSL kernel.
 */
function normal(x: Code, parts: FormulaParts): { near: Code; bell: Code; distribution: Code } {
  const { keep, number } = parts;
  const near = keep(larger(number(-FAR), smaller(number(FAR), x)));
  const bell = keep(exponential(keep(times(number(-0.5), times(near, near))), parts));
  const t = keep(
    over(number(1), plus(number(1), times(number(0.23164189), absolute(near)))),
  );
  const series = [0.254829592, -0.284496736, 1.421413741, -1.453152027, 1.061405429];
  const half = times(number(0.5), bell);
  const beyond = keep(times(times(half, t), polynomial(t, series, parts)));
  const distribution = whereLess(near, number(0), beyond, minus(number(1), beyond));
  return { near, bell, distribution };
}

const forward = elementLoop({
  inputs: 1,
  outputs: 1,
  scalars: 0,
  formula(parts) {
    const [x] = parts.inputs;
    const { distribution } = normal(x, parts);
    return [times(larger(x, parts.number(-FAR)), distribution)];
  },
});

const backward = elementLoop({
  inputs: 2,
  outputs: 1,
  scalars: 0,
  formula(parts) {
    const [dy, x] = parts.inputs;
    const { near, bell, distribution } = normal(x, parts);
    const density = times(parts.number(1 / Math.sqrt(2 * Math.PI)), bell);
    return [times(dy, plus(distribution, times(near, density)))];
  },
});

/** `LetheGelu`: x Phi(x). */
function gelu({ backend, inputs: { x } }: WasmKernelArguments): TensorInfo {
  const { outputs, from, to } = onHeap(backend, [x], [x.shape]);
  forward(backend, from, to);
  return outputs[0];
}

/** `LetheGeluGrad`: dy (Phi(x) + x phi(x)). */
function geluGrad({ backend, inputs: { dy, x } }: WasmKernelArguments): TensorInfo {
  const { outputs, from, to } = onHeap(backend, [dy, x], [x.shape]);
  backward(backend, from, to);
  return outputs[0];
}

/** Registers GELU, forward and backward, for the WASM backend. */
export function registerWasmGelu(): void {
  registerWasmKernel("LetheGelu", gelu);
  registerWasmKernel("LetheGeluGrad", geluGrad);
}
