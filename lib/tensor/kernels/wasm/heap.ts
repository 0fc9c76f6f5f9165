import type { BackendWasm } from "@tensorflow/tfjs-backend-wasm";
import { compile, type WasmFunction } from "./assembler.ts";

/**
 * A function that works on tfjs-wasm's tensors where they lie, compiled at its first run.
 *
 * @returns its parameters follow the backend; an address is the `byteOffset` of a view of the heap
 */
export function heapFunction(
  assemble: () => Omit<WasmFunction, "name">,
): (backend: BackendWasm, ...parameters: number[]) => void {
  let module: WebAssembly.Module | undefined;
  let instance: { heap: WebAssembly.Memory; run: (...args: number[]) => void } | undefined;
  return (backend, ...parameters) => {
    const { wasm } = backend as unknown as { wasm: { asm: { memory: WebAssembly.Memory } } };
    const heap = wasm.asm.memory;
    // A backend that was removed and made again has another heap.
    if (instance?.heap !== heap) {
      module ??= compile([{ name: "run", ...assemble() }], "imported");
      const { exports } = new WebAssembly.Instance(module, { host: { memory: heap } });
      instance = { heap, run: exports.run as (...args: number[]) => void };
    }
    instance.run(...parameters);
  };
}
