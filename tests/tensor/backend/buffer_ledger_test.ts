import { assert, assertEquals, assertThrows } from "@std/assert";

import * as tf from "@tensorflow/tfjs";
import { LetheError } from "../../../lib/error.ts";
import { countBuffers } from "../../../lib/tensor/backend/buffer_ledger.ts";
import { PRESETS } from "../../../lib/model/config.ts";
import { microBatchWithin } from "../../../lib/model/memory_plan.ts";
import { openDevice } from "../../../lib/tensor/device.ts";
import { activeWebgpu } from "../../../lib/tensor/recording/owned_tensor.ts";
import { Recorded } from "../../../lib/tensor/recording/recorded.ts";
import { HAS_ADAPTER, needing } from "../../machine.ts";

Deno.test("countBuffers counts what is there, each buffer's end once, and the most that there was", () => {
  const device = {
    createBuffer: ({ size }: { size: number }) => ({ size, destroy() {} }),
  } as unknown as GPUDevice;
  const ledger = countBuffers(device, () => {});
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

Deno.test("countBuffers refuses what goes beyond a limit, unless room can be made", () => {
  const device = {
    createBuffer: ({ size }: { size: number }) => ({ size, destroy() {} }),
  } as unknown as GPUDevice;
  const unused: GPUBuffer[] = [];
  const ledger = countBuffers(device, () => unused.splice(0).forEach((buffer) => buffer.destroy()));
  const make = (size: number) => device.createBuffer({ size, usage: 0 });
  ledger.keepWithin(100);
  unused.push(make(60));
  make(40);
  make(60);
  assertEquals([ledger.bytes, unused.length], [100, 0]);
  assertThrows(
    () => make(1),
    LetheError,
    "this would take 101 bytes of device memory; the limit is 100 bytes: raise --memory-limit",
  );
  assertEquals(ledger.bytes, 100);
  ledger.keepWithin(Infinity);
  make(1);
  assertEquals(ledger.bytes, 101);
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

Deno.test({
  ...needing("adapter", HAS_ADAPTER, "microBatchWithin holds the device to a limit that is given"),
  sanitizeResources: false,
  sanitizeOps: false,
  async fn() {
    await openDevice("webgpu");
    const shape = PRESETS.vit_demo_patch8_32;
    const { buffers } = activeWebgpu()!;
    const limit = buffers.bytes + 64 * 2 ** 20;
    microBatchWithin(shape, 40, "train", 8, limit);
    const large = tf.zeros([2 ** 25]);
    // What is computed from it would take as much again.
    assertThrows(() => tf.add(large, 1), LetheError, "raise --memory-limit");
    microBatchWithin(shape, 40, "train", 8);
    const more = tf.add(large, 1);
    assertEquals((await tf.slice(more, 0, 1).data())[0], 1);
    tf.dispose([large, more]);
    activeWebgpu()!.freeUnused();
  },
});
