import { assertEquals } from "@std/assert";
import * as tf from "@tensorflow/tfjs";
import { geluKernel } from "../../../lib/tensor/kernels/webgpu/gelu.ts";
import { deferredTensor } from "../../../lib/tensor/recording/deferred_tensor.ts";
import { activeWebgpu } from "../../../lib/tensor/recording/owned_tensor.ts";
import { Recorded, useRecording } from "../../../lib/tensor/recording/recorded.ts";
import { onEachDevice } from "../on_each_device.ts";

const VALUES = [[-1, 0.5, 2], [3, -0.25, 0]] as const;

/** GELU of three numbers, put off. */
function later(values: readonly number[], done?: () => void): tf.Tensor {
  const deferred = {
    key: "gelu of three",
    from: { x: { shape: [3], dtype: "float32" as const } },
    compute: (
      backend: Parameters<typeof geluKernel>[0]["backend"],
      { x }: Readonly<Record<string, tf.TensorInfo>>,
    ) => geluKernel({ backend, inputs: { x }, attrs: {} }),
  };
  const form = { shape: [3], dtype: "float32" as const, deferred };
  return deferredTensor(activeWebgpu()!, form, { x: Float32Array.from(values) }, done);
}

async function due(values: readonly number[], scale: number): Promise<number[]> {
  const result = tf.tidy(() => {
    const x = tf.tensor1d([...values]);
    return tf.mul(tf.engine().runKernel<tf.Tensor>("LetheGelu", { x }), scale);
  });
  const numbers = [...await result.data()];
  result.dispose();
  return numbers;
}

onEachDevice(
  "deferredTensor is computed within the recorded step that it goes into, to the same bits",
  async () => {
    const backend = activeWebgpu();
    if (!backend) return;
    let freed = 0;
    const [before, step] = [
      tf.memory().numTensors,
      new Recorded(({ x }: { x: tf.Tensor }) => ({ y: tf.mul(x, 2) })),
    ];
    for (const recorded of [true, false]) {
      useRecording(recorded);
      try {
        for (const values of [...VALUES, ...VALUES]) {
          const expected = await due(values, 2);
          const x = later(values, () => freed++);
          const { dispatched } = backend;
          const { y } = step.run({ x });
          assertEquals(backend.dispatched - dispatched, recorded ? 0 : 2);
          x.dispose();
          assertEquals([...await y.data()], expected);
        }
      } finally {
        useRecording(true);
      }
    }
    assertEquals(freed, 8);
    step.dispose();
    assertEquals(tf.memory().numTensors, before);
  },
);

onEachDevice(
  "deferredTensor is computed once where it is read, copied, or used outside of a recorded step",
  async () => {
    const backend = activeWebgpu();
    if (!backend) return;
    const before = tf.memory().numTensors;
    const [values] = VALUES;
    const expected = await due(values, 1);
    for (
      const use of [
        (x: tf.Tensor) => tf.clone(x),
        (x: tf.Tensor) => tf.reshape(x, [3, 1]),
        // Of small tensors on the host, tfjs takes slices there.
        (x: tf.Tensor) => tf.concat([tf.slice(x, 0, 1), tf.slice(x, 1)]),
      ]
    ) {
      let freed = 0;
      const x = later(values, () => freed++);
      const used = tf.tidy(() => use(x));
      assertEquals([...await used.data()], expected);
      assertEquals([...await x.data()], expected);
      assertEquals(freed, 1);
      tf.dispose([x, used]);
      assertEquals(freed, 1);
    }
    assertEquals(tf.memory().numTensors, before);
  },
);

onEachDevice(
  "deferredTensor from outside of a step is computed before it, whatever the step does",
  async () => {
    const backend = activeWebgpu();
    if (!backend) return;
    const [outside, one] = [later(VALUES[0]), tf.tensor1d([1])];
    const step = new Recorded(({ one }: { one: tf.Tensor }) => ({ y: tf.mul(outside, one) }));
    const expected = await due(VALUES[0], 1);
    for (let i = 0; i < 2; i++) assertEquals([...await step.run({ one }).y.data()], expected);
    assertEquals([...await outside.data()], expected);
    tf.dispose([outside, one]);
    step.dispose();
  },
);

onEachDevice("deferredTensor that nobody needs runs nothing, and frees its numbers", () => {
  const backend = activeWebgpu();
  if (!backend) return Promise.resolve();
  let freed = 0;
  const { dispatched } = backend;
  later(VALUES[0], () => freed++).dispose();
  assertEquals([freed, backend.dispatched - dispatched], [1, 0]);
  return Promise.resolve();
});
