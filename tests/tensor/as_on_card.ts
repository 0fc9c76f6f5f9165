import { assertEquals } from "@std/assert";
import * as tf from "@tensorflow/tfjs";
import { openDevice } from "../../lib/tensor/device.ts";
import { setCard } from "../../lib/tensor/kernels/webgpu/card.ts";

/** LETHE_TEST_DEVICES=wasm leaves these tests out. */
const wanted = (Deno.env.get("LETHE_TEST_DEVICES") ?? "webgpu,wasm").split(",");
const ignore = !wanted.includes("webgpu") || await navigator.gpu?.requestAdapter() == null;

/** Registers a test that computes with the kernels for cards, on whatever WebGPU adapter there is. */
export function asOnCard(name: string, test: () => Promise<void>): void {
  Deno.test({
    name: `${name} (webgpu, as on a card)`,
    ignore,
    sanitizeResources: false,
    sanitizeOps: false,
    async fn() {
      const { software } = await openDevice("webgpu");
      setCard(true);
      try {
        const before = tf.memory().numTensors;
        await test();
        assertEquals(tf.memory().numTensors, before, "tensors leaked");
      } finally {
        setCard(!software);
      }
    },
  });
}
