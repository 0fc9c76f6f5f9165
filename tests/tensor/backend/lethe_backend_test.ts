import { assert, assertAlmostEquals, assertEquals } from "@std/assert";
import * as tf from "@tensorflow/tfjs";
import type { LetheBackend } from "../../../lib/tensor/backend/lethe_backend.ts";
import { openDevice } from "../../../lib/tensor/device.ts";
import { HAS_ADAPTER, needing } from "../../machine.ts";

const options = { sanitizeResources: false, sanitizeOps: false };

async function backend(): Promise<LetheBackend> {
  await openDevice("webgpu");
  return tf.backend() as unknown as LetheBackend;
}

Deno.test({
  ...options,
  ...needing(
    "adapter",
    HAS_ADAPTER,
    "LetheBackend uploads numbers of every type without memory that is mapped at creation",
  ),
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
  ...needing(
    "adapter",
    HAS_ADAPTER,
    "LetheBackend reads many tensors at once and each of them right",
  ),
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
  ...needing(
    "adapter",
    HAS_ADAPTER,
    "LetheBackend waits as WebGPU specifies where numbers cannot be had before the promise",
  ),
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
  ...needing(
    "adapter",
    HAS_ADAPTER,
    "openDevice asks the adapter for all storage buffers per stage that it has",
  ),
  async fn() {
    const { device } = await backend();
    const adapter = (await navigator.gpu.requestAdapter({ powerPreference: "high-performance" }))!;
    assertEquals(
      device.limits.maxStorageBuffersPerShaderStage,
      adapter.limits.maxStorageBuffersPerShaderStage,
    );
  },
});

Deno.test({
  ...options,
  ...needing(
    "adapter",
    HAS_ADAPTER,
    "LetheBackend compiles what goes number by number once for all ranks",
  ),
  async fn() {
    const { pipelineCache } = await backend() as unknown as { pipelineCache: object };
    const compiled = () => Object.keys(pipelineCache).length;
    const values = Array.from({ length: 24 }, (_, i) => i / 8 - 1);
    const run = async (shape: number[]) => {
      const all = tf.tidy(() => {
        const x = tf.tensor(values, shape);
        return [tf.mul(tf.exp(x), x), tf.sub(tf.add(x, tf.fill(shape, 2)), 0.5)];
      });
      const found = await Promise.all(all.map(async (y) => [...await y.data()]));
      assertEquals(all.map((y) => y.shape), [shape, shape]);
      tf.dispose(all);
      return found;
    };
    const due = await run([24]);
    values.forEach((x, i) => assertAlmostEquals(due[1][i], x + 1.5, 1e-6));
    const before = compiled();
    for (const shape of [[3, 8], [2, 3, 4], [1, 2, 3, 4]]) assertEquals(await run(shape), due);
    assertEquals(compiled(), before);
    // Scalars are lists of one, and sums of rows do not ask how the rows lie.
    const one = async (shape: number[]) => {
      const y = tf.tidy(() => {
        const x = tf.tensor([values[5]], shape);
        return tf.mul(tf.exp(x), x);
      });
      const found = [...await y.data()];
      y.dispose();
      return found;
    };
    const sums = async (shape: number[]) => {
      const y = tf.tidy(() => tf.sum(tf.neg(tf.neg(tf.tensor(values, shape))), -1));
      assertEquals(y.shape, shape.slice(0, -1));
      const found = [...await y.data()];
      y.dispose();
      return found;
    };
    const [oneDue, sumsDue] = [await one([1]), await sums([3, 8])];
    sumsDue.forEach((sum, row) =>
      assertAlmostEquals(sum, values.slice(8 * row, 8 * row + 8).reduce((a, b) => a + b), 1e-5)
    );
    const afterLists = compiled();
    assertEquals(await one([]), oneDue);
    for (const shape of [[3, 1, 8], [1, 3, 1, 8]]) assertEquals(await sums(shape), sumsDue);
    assertEquals((await sums([24])).length, 1);
    assertEquals(compiled(), afterLists);
    // Where a number's place matters, each rank is another program.
    const [rows, row] = [tf.ones([3, 8]), tf.tensor(values.slice(0, 8))];
    const sum = tf.add(rows, row);
    assertEquals([...await sum.data()].slice(8, 16), values.slice(0, 8).map((x) => x + 1));
    tf.dispose([rows, row, sum]);
  },
});
