import * as tf from "@tensorflow/tfjs";
import { activeWebgpu } from "./recording/owned_tensor.ts";

/** What the active device is taken to hold. */
export interface DeviceMemory {
  readonly backend: "webgpu" | "wasm";
  /**
   * Bytes for tensors. WebGPU does not tell how much memory an adapter has, so 4 GiB are assumed, which
   * `--memory-limit` corrects; WASM has a 32-bit heap that tfjs lets grow to 2 GiB.
   */
  readonly bytes: number;
  /** The largest tensor that one kernel can read, bytes. */
  readonly tensorBytes: number;
}

/** Memory of the device that `openDevice` opened. */
export function deviceMemory(): DeviceMemory {
  if (tf.getBackend() !== "webgpu") {
    return { backend: "wasm", bytes: 2 * 2 ** 30, tensorBytes: 2 ** 31 - 4 };
  }
  const { device } = tf.backend() as unknown as { device: GPUDevice };
  return {
    backend: "webgpu",
    bytes: 4 * 2 ** 30,
    tensorBytes: Math.min(device.limits.maxStorageBufferBindingSize, device.limits.maxBufferSize),
  };
}

/**
 * Holds the active device to a limit: a buffer beyond it is refused with one line, after all that is of no
 * use was freed (WebGPU; WASM's heap has its own end).
 *
 * @param limit bytes of all buffers; undefined lifts it
 */
export function keepWithin(limit: number | undefined): void {
  activeWebgpu()?.buffers.keepWithin(limit ?? Infinity);
}
