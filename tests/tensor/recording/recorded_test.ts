import { assert, assertEquals, assertNotEquals, assertThrows } from "@std/assert";
import * as tf from "@tensorflow/tfjs";
import { openDevice } from "../../../lib/tensor/device.ts";
import { onCard, setCard } from "../../../lib/tensor/kernels/webgpu/card.ts";
import { setPrecision } from "../../../lib/tensor/precision.ts";
import { setProductChoice } from "../../../lib/tensor/kernels/autotune/product_choice.ts";
import { activeWebgpu, tensorIn } from "../../../lib/tensor/recording/owned_tensor.ts";
import { Recorded } from "../../../lib/tensor/recording/recorded.ts";
import { HAS_ADAPTER, needing } from "../../machine.ts";
import { onEachDevice } from "../on_each_device.ts";

/** y = a x + b, with b a tensor from outside and a constant from the host in between. */
function affine(b: tf.Tensor) {
  return new Recorded(({ x, a }: { x: tf.Tensor; a: tf.Tensor }) => ({
    y: tf.add(tf.mul(tf.mul(x, a), 2), tf.mul(b, tf.tensor([1, 0.5, 0.25]))),
  }));
}

onEachDevice(
  "Recorded computes with every run's own inputs, from the host or the device",
  async () => {
    const b = tf.tensor([8, 8, 8]);
    const step = affine(b);
    for (let i = 0; i < 4; i++) {
      const onHost = tf.tensor([i, i + 1, i + 2]);
      const x = i % 2 ? tf.add(onHost, 0) : onHost;
      const a = tf.tensor([3 - i]);
      const { y } = step.run({ x, a });
      tf.dispose([onHost, x, a]);
      const due = [i, i + 1, i + 2].map((each, j) => 2 * each * (3 - i) + [8, 4, 2][j]);
      assertEquals([...await y.data()], due);
    }
    step.dispose();
    b.dispose();
  },
);

onEachDevice(
  "Recorded runs whose inputs are on the device go off together, each with its own",
  async () => {
    const b = tf.tensor([8, 8, 8]);
    const step = affine(b);
    const a = tf.tensor([2]);
    const first = tf.tensor([0, 0, 0]);
    step.run({ x: first, a });
    const backend = activeWebgpu();
    const staying = new Set(["a"]);
    const version = {};
    let submits = 0;
    const submit = backend?.submitQueue;
    if (backend) backend.submitQueue = () => (submits++, submit!.call(backend));
    const xs = [1, 2, 3].map((x) => tf.add(first, x));
    const outputs = xs.map((x) => tf.add(step.run({ x, a }, staying, version).y, 0));
    // The first run brings `a` along, from the host.
    if (backend) assertEquals(submits, 1);
    const values = await Promise.all(outputs.map((y) => y.data()));
    if (backend) backend.submitQueue = submit!;
    assertEquals(
      values.map((each) => [...each]),
      [1, 2, 3].map((x) => [4 * x + 8, 4 * x + 4, 4 * x + 2]),
    );
    step.dispose();
    tf.dispose([b, a, first, xs, outputs]);
  },
);

onEachDevice(
  "Recorded holds what its step took from outside, and frees it when it is done",
  async () => {
    const b = tf.tensor([8, 8, 8]);
    const step = affine(b);
    const [x, a] = [tf.tensor([1, 1, 1]), tf.tensor([1])];
    const first = [...await step.run({ x, a }).y.data()];
    const backend = activeWebgpu();
    // Its buffer would go to the next tensor of its size.
    if (backend) b.dispose();
    const others = Array.from({ length: 4 }, () => tf.tensor([9, 9, 9]));
    const used = others.map((other) => tf.add(other, 1));
    assertEquals([...await step.run({ x, a }).y.data()], first);
    tf.dispose([x, a, others, used]);
    if (!backend) b.dispose();
    step.dispose();
  },
);

onEachDevice(
  "Recorded is recorded anew for other shapes, precision or kernels, and only then",
  async () => {
    let steps = 0;
    const step = new Recorded(({ x }: { x: tf.Tensor }) => {
      steps++;
      return { y: tf.mul(x, 2) };
    });
    const run = async (...values: number[]) => {
      const x = tf.tensor(values);
      const { y } = step.run({ x });
      x.dispose();
      assertEquals([...await y.data()], values.map((value) => 2 * value));
    };
    await run(1, 2);
    await run(3, 4);
    await run(5, 6, 7);
    await run(8, 9);
    const webgpu = activeWebgpu() !== null;
    assertEquals(steps, webgpu ? 2 : 4);
    if (webgpu) {
      setPrecision("half");
      await run(1, 2);
      setPrecision("float32");
      setProductChoice({});
      await run(1, 2);
      assertEquals(steps, 4);
    }
    step.dispose();
  },
);

onEachDevice("Recorded does what it does to tensors in place once per run", async () => {
  const backend = activeWebgpu();
  if (!backend) return;
  const { copyKernel } = await import("../../../lib/tensor/kernels/webgpu/recorded/copy.ts");
  const buffer = backend.device.createBuffer({ size: 256, usage: 0x80 | 0x04 | 0x08 });
  const state = tensorIn(backend, buffer, 0, [2]);
  const step = new Recorded(({ x }: { x: tf.Tensor }) => {
    copyKernel(backend, tf.add(state, x), state);
    return {};
  });
  for (const value of [1, 10, 100]) {
    const x = tf.tensor([value, 2 * value]);
    step.run({ x });
    x.dispose();
  }
  assertEquals([...await state.data()], [111, 222]);
  const clone = tf.clone(state);
  const x = tf.tensor([1, 1]);
  step.run({ x });
  assertEquals([...await clone.data()], [111, 222]);
  assertNotEquals([...await state.data()], [111, 222]);
  tf.dispose([x, clone]);
  step.dispose();
  state.dispose();
  buffer.destroy();
});

onEachDevice("Recorded leaves the device as it was where its step fails", async () => {
  if (!activeWebgpu()) return;
  const before = tf.memory().numTensors;
  const step = new Recorded(({ x }: { x: tf.Tensor }) => {
    throw new Error(`a step that fails on [${tf.add(x, 1).shape}]`);
  });
  const x = tf.tensor([1, 2]);
  assertThrows(() => step.run({ x }), Error, "a step that fails on [2]");
  assertEquals(tf.memory().numTensors, before + 1);
  const y = tf.add(x, 1);
  assertEquals([...await y.data()], [2, 3]);
  tf.dispose([x, y]);
  step.dispose();
});

onEachDevice("Recorded leaves the device as it was where its memory is refused", async () => {
  const backend = activeWebgpu();
  if (!backend) return;
  const before = tf.memory().numTensors;
  const outside = tf.tensor([1, 2]);
  const step = new Recorded(({ x }: { x: tf.Tensor }) => ({
    y: tf.add(tf.sum(tf.tile(x, [1 << 12])), outside),
  }));
  const x = tf.tensor([1, 2]);
  // Slots find room, and what lives within the step does not.
  backend.freeUnused();
  const bytes = backend.buffers.bytes;
  backend.buffers.keepWithin(bytes + (1 << 12));
  try {
    for (const _ of [1, 2]) {
      assertThrows(() => step.run({ x }), Error, "the limit is");
      assertEquals(tf.memory().numTensors, before + 2);
    }
  } finally {
    backend.buffers.keepWithin(Infinity);
  }
  assert(backend.buffers.bytes <= bytes + (1 << 12), "what was refused left buffers");
  assertEquals([...await step.run({ x }).y.data()], [3 * (1 << 12) + 1, 3 * (1 << 12) + 2]);
  tf.dispose([x, outside]);
  step.dispose();
});

onEachDevice("Recorded is recorded anew for kernels of another kind", async () => {
  if (!activeWebgpu()) return;
  let steps = 0;
  const step = new Recorded(({ x }: { x: tf.Tensor }) => {
    steps++;
    return { y: tf.mul(x, 2) };
  });
  const x = tf.tensor([1, 2, 3]);
  const before = onCard();
  try {
    for (const card of [false, true, false, true]) {
      setCard(card);
      assertEquals([...await step.run({ x }).y.data()], [2, 4, 6]);
    }
  } finally {
    setCard(before);
  }
  // Each kind's is kept.
  assertEquals(steps, 2);
  step.dispose();
  x.dispose();
});

Deno.test({
  ...needing("adapter", HAS_ADAPTER, "Recorded is recorded anew on another device"),
  sanitizeResources: false,
  sanitizeOps: false,
  async fn() {
    await openDevice("webgpu");
    let steps = 0;
    const step = new Recorded(({ x }: { x: tf.Tensor }) => {
      steps++;
      return { y: tf.mul(x, 2) };
    });
    const twice = async () => {
      const x = tf.tensor([1, 2, 3]);
      assertEquals([...await step.run({ x }).y.data()], [2, 4, 6]);
      x.dispose();
    };
    await twice();
    await twice();
    await openDevice("webgpu", "float32", true);
    await twice();
    await twice();
    assertEquals(steps, 2);
    step.dispose();
  },
});

onEachDevice(
  "Recorded shares memory between tensors of a step that do not live at once",
  async () => {
    if (!activeWebgpu()) return;
    const step = new Recorded(({ x }: { x: tf.Tensor }) => ({
      y: Array.from({ length: 20 }).reduce((sum: tf.Tensor) => tf.sin(sum), x),
    }));
    const x = tf.ones([1000]);
    const { y } = step.run({ x });
    await y.data();
    assertEquals(step.size!.programs, 20);
    // Its slot, two that change by turns and the result: not twenty.
    assert(step.size!.bytes < 5 * 4000, `${step.size!.bytes}`);
    x.dispose();
    step.dispose();
  },
);

onEachDevice("Recorded frees what tensors left behind before it takes memory", async () => {
  const backend = activeWebgpu();
  if (!backend) return;
  const step = new Recorded(({ x }: { x: tf.Tensor }) => ({ y: tf.add(x, 1) }));
  const ones = tf.ones([1 << 18]);
  const large = tf.add(ones, 1);
  const data = await large.data();
  assertEquals(data[0], 2);
  tf.dispose([ones, large]);
  const before = backend.buffers.bytes;
  const x = tf.tensor([1]);
  assertEquals([...await step.run({ x }).y.data()], [2]);
  assert(backend.buffers.bytes <= before - (1 << 20), "the freed tensor's buffer is still there");
  step.dispose();
  x.dispose();
});

onEachDevice(
  "Recorded is prepared for inputs to come, and then runs nothing until they are there",
  async () => {
    let steps = 0;
    const step = new Recorded(({ x }: { x: tf.Tensor }) => {
      steps++;
      return { y: tf.mul(x, 2) };
    });
    const backend = activeWebgpu();
    const before = backend?.replayed;
    step.prepare({ x: { shape: [3], dtype: "float32" } });
    assertEquals(steps, backend ? 1 : 0);
    assertEquals(backend?.replayed, before);
    const x = tf.tensor([1, 2, 3]);
    assertEquals([...await step.run({ x }).y.data()], [2, 4, 6]);
    assertEquals(steps, 1);
    step.dispose();
    x.dispose();
  },
);
