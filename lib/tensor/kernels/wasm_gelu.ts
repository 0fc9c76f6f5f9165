import type { TensorInfo } from "@tensorflow/tfjs";
import { onHeap, registerWasmKernel, type WasmKernelArguments } from "./wasm_kernel.ts";

/**
 * GELU on tfjs's WASM backend in one pass over the elements, where the composition of stock ops takes
 * five, and ten for its gradient.
 */

/**
 * 1 - Phi(|x|), given exp(-x^2 / 2): the polynomial of Abramowitz & Stegun 7.1.26, as in the WGSL kernel.
 */
function tail(x: number, bell: number): number {
  const t = 1 / (1 + 0.23164189 * Math.abs(x));
  const series = 1.421413741 + t * (-1.453152027 + t * 1.061405429);
  return 0.5 * bell * t * (0.254829592 + t * (-0.284496736 + t * series));
}

/** `LetheGelu`: x Phi(x), any shape. */
function gelu({ backend, inputs: { x } }: WasmKernelArguments): TensorInfo {
  const { outputs, from: [values], to: [y] } = onHeap(backend, [x], [x.shape]);
  for (let i = 0; i < y.length; i++) {
    const v = values[i];
    const beyond = tail(v, Math.exp(-0.5 * v * v));
    y[i] = v * (v < 0 ? beyond : 1 - beyond);
  }
  return outputs[0];
}

/** `LetheGeluGrad`: dy (Phi(x) + x phi(x)). */
function geluGrad({ backend, inputs: { dy, x } }: WasmKernelArguments): TensorInfo {
  const { outputs, from: [g, values], to: [dx] } = onHeap(backend, [dy, x], [x.shape]);
  for (let i = 0; i < dx.length; i++) {
    const v = values[i];
    const bell = Math.exp(-0.5 * v * v);
    const beyond = tail(v, bell);
    dx[i] = g[i] * ((v < 0 ? beyond : 1 - beyond) + v * 0.3989422804014327 * bell);
  }
  return outputs[0];
}

/** Registers GELU, forward and backward, for the WASM backend. */
export function registerWasmGelu(): void {
  registerWasmKernel("LetheGelu", gelu);
  registerWasmKernel("LetheGeluGrad", geluGrad);
}
