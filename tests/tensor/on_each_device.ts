import { assertEquals } from "@std/assert";
import * as tf from "@tensorflow/tfjs";
import { BACKENDS, HAS_ADAPTER, needing } from "../machine.ts";
import { type Device, openDevice } from "../../lib/tensor/device.ts";

/**
 * Registers a test once per backend. Each run must leave as many tensors as it found.
 * The WebGPU one is ignored, visibly, on a machine without an adapter.
 */
export function onEachDevice(name: string, test: (device: Device) => Promise<void>): void {
  for (const backend of ["webgpu", "wasm"] as const) {
    if (!BACKENDS.includes(backend)) continue;
    Deno.test({
      ...needing("adapter", backend === "wasm" || HAS_ADAPTER, `${name} (${backend})`),
      // The backends keep their adapter and their WASM heap across tests.
      sanitizeResources: false,
      sanitizeOps: false,
      async fn() {
        const device = await openDevice(backend);
        const before = tf.memory().numTensors;
        await test(device);
        assertEquals(tf.memory().numTensors, before, "tensors leaked");
      },
    });
  }
}
