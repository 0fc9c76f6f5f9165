/** What WASM is called: one device, the same on every machine. */
export const WASM_ADAPTER = "WASM (SIMD, one thread)";

/** What a WebGPU adapter is called, as the driver names it. */
export function adapterName(
  { description, device, vendor }: Pick<GPUAdapterInfo, "description" | "device" | "vendor">,
): string {
  return `WebGPU, ${description || device || vendor || "unnamed"}`;
}

/** The adapter that computes, where there is one. */
export async function findAdapter(): Promise<GPUAdapter | null> {
  if (navigator.gpu === undefined) return null;
  return await navigator.gpu.requestAdapter({ powerPreference: "high-performance" });
}
