import { assert, assertEquals } from "@std/assert";
import * as tf from "@tensorflow/tfjs";
import { countBuffers } from "../../../lib/tensor/backend/buffer_ledger.ts";
import { openDevice } from "../../../lib/tensor/device.ts";
import { activeWebgpu } from "../../../lib/tensor/recording/owned_tensor.ts";
import { Recorded } from "../../../lib/tensor/recording/recorded.ts";
import { HAS_ADAPTER, needing } from "../../machine.ts";

Deno.test("countBuffers counts what is there, each buffer's end once, and the most that there was", () => {
  const device = {
    createBuffer: ({ size }: { size: number }) => ({ size, destroy() {} }),
  } as unknown as GPUDevice;
  const ledger = countBuffers(device);
  const [first, second] = [64, 32].map((size) => device.createBuffer({ size, usage: 0 }));
  assertEquals([ledger.bytes, ledger.peak], [96, 96]);
  first.destroy();
  first.destroy();
  assertEquals([ledger.bytes, ledger.peak], [32, 96]);
  ledger.forgetPeak();
  assertEquals(ledger.peak, 32);
  second.destroy();
  assertEquals([ledger.bytes, ledger.peak], [0, 32]);
});

Deno.test({
  ...needing(
    "adapter",
    HAS_ADAPTER,
    "A recording's buffers are counted, and gone when it is freed",
  ),
  sanitizeResources: false,
  sanitizeOps: false,
  async fn() {
    await openDevice("webgpu");
    const { buffers } = activeWebgpu()!;
    const step = new Recorded(({ x }: { x: tf.Tensor }) => ({ y: tf.add(tf.mul(x, x), x) }));
    const x = tf.ones([1 << 16]);
    const before = buffers.bytes;
    step.run({ x });
    // Its input's slot, its output and what lies between.
    const { bytes } = step.size!;
    assert(bytes >= 3 * 4 * (1 << 16));
    assertEquals(buffers.bytes - before, bytes);
    step.dispose();
    assertEquals(buffers.bytes, before);
    x.dispose();
  },
});
