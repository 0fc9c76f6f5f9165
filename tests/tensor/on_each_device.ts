import { assertEquals } from "@std/assert";
import * as tf from "@tensorflow/tfjs";
import { type Device, openDevice } from "../../lib/tensor/device.ts";

/** LETHE_TEST_DEVICES=wasm limits the suite to one backend (CI's smoke part). */
const wanted = (Deno.env.get("LETHE_TEST_DEVICES") ?? "webgpu,wasm").split(",");
const hasAdapter = wanted.includes("webgpu") && navigator.gpu !== undefined &&
  await navigator.gpu.requestAdapter() !== null;

/**
 * Registers a test once per backend. Each run must leave as many tensors as it found.
 * The WebGPU one is ignored, visibly, on a machine without an adapter.
 */
export function onEachDevice(name: string, test: (device: Device) => Promise<void>): void {
  for (const backend of ["webgpu", "wasm"] as const) {
    if (!wanted.includes(backend)) continue;
    Deno.test({
      name: `${name} (${backend})`,
      ignore: backend === "webgpu" && !hasAdapter,
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
