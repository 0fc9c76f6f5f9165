import { assert, assertEquals, assertLess } from "@std/assert";
import * as tf from "@tensorflow/tfjs";
import { openDevice } from "../../../../lib/tensor/device.ts";
import { runKernel } from "../../../../lib/tensor/kernel.ts";

/** Numbers that a formula could go wrong on, among ordinary ones. */
const VALUES = [0, -0, 1, -1, 0.37, -2.5, 5, -5, 12.9, -12.9, 1e-30, -1e-30, 40, -40, 3e38, -3e38];

/** gelu and its derivative in float64, from erf's series; beyond 6 the tail is below 1e-9. */
function expected(x: number): [value: number, slope: number] {
  if (Math.abs(x) > 6) return x > 0 ? [x, 1] : [0, 0];
  let [term, sum] = [x, x];
  for (let n = 1; n < 200; n++) sum += (term *= -(x * x) / (2 * n)) / (2 * n + 1);
  const [density, distribution] = [1 / Math.sqrt(2 * Math.PI), 0.5 + sum / Math.sqrt(2 * Math.PI)];
  return [x * distribution, distribution + x * density * Math.exp(-x * x / 2)];
}

async function gelu(values: readonly number[]): Promise<[Float32Array, Float32Array]> {
  const [x, dy] = [tf.tensor1d([...values], "float32"), tf.ones([values.length])];
  const results = [...runKernel("LetheGelu", { x }), ...runKernel("LetheGeluGrad", { dy, x })];
  const [value, slope] = await Promise.all(results.map((tensor) => tensor.data()));
  tf.dispose([x, dy, ...results]);
  return [value as Float32Array, slope as Float32Array];
}

Deno.test("elementLoop gives an element the same bits wherever it lies, and writes no other", async () => {
  await openDevice("wasm");
  const before = tf.memory().numTensors;
  for (let size = 0; size <= 9; size++) {
    for (let from = 0; from + size <= VALUES.length; from += 3) {
      const part = VALUES.slice(from, from + size);
      // Allocated next to the results: a store past their end would land in it or its header.
      const guard = tf.fill([5], 7);
      const [value, slope] = await gelu(part);
      assertEquals([...await guard.data()], Array(5).fill(7));
      guard.dispose();
      for (const [i, x] of part.entries()) {
        const [[alone], [slopeAlone]] = await gelu([x]);
        assert(Object.is(value[i], alone) && Object.is(slope[i], slopeAlone), `${x} at ${i}`);
      }
    }
  }
  assertEquals(tf.memory().numTensors, before);
});

Deno.test("LetheGelu and its gradient on WASM agree with float64, far from zero too", async () => {
  await openDevice("wasm");
  const values = [...VALUES, ...Array.from({ length: 1201 }, (_, i) => (i - 600) / 100)];
  const [value, slope] = await gelu(values);
  for (const [i, x] of values.entries()) {
    const [y, dy] = expected(x);
    assertLess(Math.abs(value[i] - y), 5e-7 * Math.max(1, Math.abs(x)), `gelu(${x})`);
    assertLess(Math.abs(slope[i] - dy), 1e-6, `gelu'(${x})`);
  }
});

Deno.test("LetheGelu and its gradient on WASM take infinities to their limits and keep NaN", async () => {
  await openDevice("wasm");
  const [value, slope] = await gelu([Infinity, -Infinity, NaN]);
  assertEquals([value[0], slope[0]], [Infinity, 1]);
  assertLess(Math.max(Math.abs(value[1]), Math.abs(slope[1])), 1e-35);
  assert(Number.isNaN(value[2]) && Number.isNaN(slope[2]));
});

Deno.test("LetheAdamW and LetheSgd on WASM step as float64 does on sizes that are no multiple of four", async () => {
  await openDevice("wasm");
  const before = tf.memory().numTensors;
  const [learningRate, beta1, beta2, epsilon, weightDecay, step] = [0.01, 0.9, 0.999, 1e-8, 0.1, 3];
  for (const size of [0, 1, 3, 4, 7, 10]) {
    const theta = Array.from({ length: size }, (_, i) => Math.sin(i));
    const g = theta.map((w) => Math.cos(9 * w));
    const m = g.map((x) => 0.3 * x - 0.1);
    const v = g.map((x) => 0.2 + x * x);
    const tensors = [theta, g, m, v].map((values) => tf.tensor1d(values, "float32"));
    const [weight, gradient, first, second] = tensors;
    const adam = runKernel("LetheAdamW", { theta: weight, gradient, m: first, v: second }, {
      ...{ learningRate, beta1, beta2, epsilon, weightDecay, step },
    });
    const sgd = runKernel("LetheSgd", { theta: weight, gradient, velocity: first }, {
      ...{ learningRate, momentum: 0.9, weightDecay },
    });
    const [next, nextM, nextV, moved, speed] = await Promise.all(
      [...adam, ...sgd].map((tensor) => tensor.data()),
    );
    for (let i = 0; i < size; i++) {
      const m1 = beta1 * m[i] + (1 - beta1) * g[i];
      const v1 = beta2 * v[i] + (1 - beta2) * g[i] ** 2;
      const move = m1 / (1 - beta1 ** step) / (Math.sqrt(v1 / (1 - beta2 ** step)) + epsilon);
      const u = 0.9 * m[i] + g[i] + weightDecay * theta[i];
      const wanted = [
        ...[(1 - learningRate * weightDecay) * theta[i] - learningRate * move, m1, v1],
        ...[theta[i] - learningRate * u, u],
      ];
      for (const [at, got] of [next, nextM, nextV, moved, speed].entries()) {
        assertLess(Math.abs(got[i] - wanted[at]), 5e-7, `output ${at} of ${size} at ${i}`);
      }
    }
    tf.dispose([...tensors, ...adam, ...sgd]);
  }
  assertEquals(tf.memory().numTensors, before);
});
