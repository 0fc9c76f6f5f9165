import { registerWasmAttention } from "./attention.ts";
import { registerWasmGelu } from "./gelu.ts";
import { registerWasmLayerNorm } from "./layer_norm.ts";
import { registerWasmOptimisers } from "./optimisers.ts";
import { registerWasmShortProduct } from "./short_product.ts";

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
