import { registerWasmKernels as registerWasm } from "./wasm_register.ts";

/** Placeholder while the kernels are written. */
export function registerWebgpuKernels(): void {}

/** Registers Lethe's kernels for tfjs's WASM backend; a second call does nothing. */
export function registerWasmKernels(): void {
  registerWasm();
}
