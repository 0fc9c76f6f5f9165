import { assert, assertEquals } from "@std/assert";
import * as tf from "@tensorflow/tfjs";
import type { LetheBackend } from "../../../lib/tensor/backend/lethe_backend.ts";
import { openDevice } from "../../../lib/tensor/device.ts";

const ignore = await navigator.gpu?.requestAdapter() == null;
const options = { ignore, sanitizeResources: false, sanitizeOps: false };

async function backend(): Promise<LetheBackend> {
  await openDevice("webgpu");
  return tf.backend() as unknown as LetheBackend;
}

Deno.test({
  ...options,
  name: "LetheBackend uploads numbers of every type without memory that is mapped at creation",
  async fn() {
    const { device } = await backend();
    const create = device.createBuffer.bind(device);
    let mapped = 0;
    device.createBuffer = (descriptor) => {
      if (descriptor.mappedAtCreation) mapped++;
      return create(descriptor);
    };
    const tensors = [
      tf.tensor([1.5, -2, 3]),
      tf.tensor([1, -2, 3], [3], "int32"),
      tf.tensor([true, false, true], [3], "bool"),
    ];
    const sums = tensors.map((tensor) => tf.add(tf.cast(tensor, "float32"), 1));
    const values = await Promise.all(sums.map((sum) => sum.data()));
    tf.dispose([tensors, sums]);
    device.createBuffer = create;
    assertEquals(values.map((each) => [...each]), [[2.5, -1, 4], [2, -1, 4], [2, 1, 2]]);
    assertEquals(mapped, 0);
  },
});

Deno.test({
  ...options,
  name: "LetheBackend reads many tensors at once and each of them right",
  async fn() {
    const { reads } = await backend();
    const before = { ...reads.told };
    for (let round = 0; round < 3; round++) {
      const tensors = Array.from(
        { length: 5 },
        (_, i) => tf.mul(tf.tensor([1, 2, 3]), 10 * i + round),
      );
      const values = await Promise.all(tensors.map((tensor) => tensor.data()));
      tf.dispose(tensors);
      values.forEach((each, i) =>
        assertEquals([...each], [1, 2, 3].map((x) => x * (10 * i + round)))
      );
    }
    assertEquals(reads.told.all - before.all, 15);
    assert(reads.told.early <= reads.told.all);
  },
});

Deno.test({
  ...options,
  name: "LetheBackend waits as WebGPU specifies where numbers cannot be had before the promise",
  async fn() {
    const { reads } = await backend();
    const { getMappedRange, mapAsync } = GPUBuffer.prototype;
    const resolved = new WeakSet<GPUBuffer>();
    GPUBuffer.prototype.mapAsync = async function (...given) {
      resolved.delete(this);
      await mapAsync.apply(this, given);
      resolved.add(this);
    };
    // As an adapter does that keeps to the letter; and as one whose memory is not written yet.
    const strict = [
      () => {
        throw new DOMException("not mapped", "OperationError");
      },
      (size: number) => new ArrayBuffer(size),
    ];
    try {
      for (const early of strict) {
        GPUBuffer.prototype.getMappedRange = function (
          this: GPUBuffer,
          offset = 0,
          size = this.size,
        ) {
          return resolved.has(this) ? getMappedRange.call(this, offset, size) : early(size);
        };
        const before = reads.told.early;
        for (let i = 0; i < 3; i++) {
          const tensor = tf.add(tf.tensor([i, 5]), 1);
          assertEquals([...await tensor.data()], [i + 1, 6]);
          tensor.dispose();
        }
        assertEquals(reads.told.early, before);
      }
    } finally {
      Object.assign(GPUBuffer.prototype, { getMappedRange, mapAsync });
    }
  },
});

Deno.test({
  ...options,
  name: "openDevice asks the adapter for all storage buffers per stage that it has",
  async fn() {
    const { device } = await backend();
    const adapter = (await navigator.gpu.requestAdapter({ powerPreference: "high-performance" }))!;
    assertEquals(
      device.limits.maxStorageBuffersPerShaderStage,
      adapter.limits.maxStorageBuffersPerShaderStage,
    );
  },
});
