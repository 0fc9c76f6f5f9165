import { assertEquals } from "@std/assert";
import * as tf from "@tensorflow/tfjs";
import { openDevice } from "../../lib/tensor/device.ts";
import { HAS_ADAPTER, needing } from "../machine.ts";
import { setCard } from "../../lib/tensor/kernels/webgpu/card.ts";

/** Registers a test that computes with the kernels for cards, on whatever WebGPU adapter there is. */
export function asOnCard(name: string, test: () => Promise<void>): void {
  Deno.test({
    ...needing("adapter", HAS_ADAPTER, `${name} (webgpu, as on a card)`),
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
