import { LetheError } from "../error.ts";
import type { Precision } from "./choices.ts";
import { hasKernel } from "./kernel.ts";

let active: Precision = "float32";

/** The precision of every pass from now on; `openDevice` sets it. */
export function precision(): Precision {
  return active;
}

/**
 * Chooses the precision of every pass from now on. Half precision needs no feature of the adapter: halves
 * lie in pairs in 32-bit words, and every WebGPU adapter packs and unpacks those.
 *
 * @throws LetheError half precision is asked of a backend without kernels for it (WASM)
 */
export function setPrecision(choice: Precision): void {
  if (choice === "half" && !hasKernel("LetheToHalf")) {
    throw new LetheError(
      "half precision on WASM",
      "it needs a WebGPU adapter, and this machine has none",
      "leave out --precision half, or install a Vulkan driver",
    );
  }
  active = choice;
}
