import { registerWasmAttention } from "./wasm_attention.ts";
import { registerWasmGelu } from "./wasm_gelu.ts";
import { registerWasmLayerNorm } from "./wasm_layer_norm.ts";
import { registerWasmOptimisers } from "./wasm_optimisers.ts";
import { registerWasmShortProduct } from "./wasm_short_product.ts";

let registered = false;

/** Registers Lethe's kernels for tfjs's WASM backend; a second call does nothing. */
export function registerWasmKernels(): void {
  if (registered) return;
  registered = true;
  registerWasmAttention();
  registerWasmGelu();
  registerWasmLayerNorm();
  registerWasmOptimisers();
  registerWasmShortProduct();
}
