import { assert, assertEquals, assertLess } from "@std/assert";
import * as tf from "@tensorflow/tfjs";
import { matMul } from "../../../lib/tensor/mat_mul.ts";
import { OP_TABLE, type OpTableRow } from "../../../lib/tensor/op_table.ts";
import { attention } from "../../../lib/tensor/ops/attention.ts";
import { gelu } from "../../../lib/tensor/ops/gelu.ts";
import { layerNorm } from "../../../lib/tensor/ops/layer_norm.ts";
import { linear } from "../../../lib/tensor/ops/linear.ts";
import { adamW, ADAMW_DEFAULTS } from "../../../lib/tensor/optimisers/adamw.ts";
import type { Optimiser } from "../../../lib/tensor/optimisers/optimiser.ts";
import { sgd } from "../../../lib/tensor/optimisers/sgd.ts";
import { Random } from "../../../lib/random.ts";
import { asOnCard } from "../as_on_card.ts";
import { onEachDevice } from "../on_each_device.ts";

/** Sizes that the presets use, and odd ones that no tile divides. */
const ROWS: readonly OpTableRow[] = [
  ...OP_TABLE,
  { op: linear, inputs: [[544, 64], [192, 64], [192]] },
  { op: linear, inputs: [[131, 33], [67, 33], [67]] },
  { op: layerNorm, inputs: [[545, 64], [64], [64]], attributes: { epsilon: 1e-6 } },
  { op: gelu, inputs: [[129, 257]] },
  { op: attention, inputs: [[3, 17, 3 * 64]], attributes: { heads: 4 } },
  { op: attention, inputs: [[2, 37, 3 * 30]], attributes: { heads: 3 } },
  { op: attention, inputs: [[2, 70, 3 * 32]], attributes: { heads: 2 } },
];

function draw(shape: readonly number[], random: Random): tf.Tensor {
  const size = shape.reduce((a, b) => a * b, 1);
  return tf.tensor(Float32Array.from({ length: size }, () => random.normal()), [...shape]);
}

/** Runs `body` with Lethe's kernels of the active backend taken out of tfjs's registry. */
async function withPlainOps<T>(body: () => Promise<T>): Promise<T> {
  const backend = tf.getBackend();
  const own = tf.getKernelsForBackend(backend)
    .filter(({ kernelName }) => kernelName.startsWith("Lethe"));
  assert(own.length > 0, `no kernel of Lethe's is registered for ${backend}`);
  for (const { kernelName } of own) tf.unregisterKernel(kernelName, backend);
  try {
    return await body();
  } finally {
    for (const kernel of own) tf.registerKernel(kernel);
  }
}

/** Value, gradients and tangent of one row on the host. */
async function compute({ op, inputs, attributes = {}, constants = [] }: OpTableRow) {
  const random = new Random(5, op.name);
  const tensors = inputs.map((shape) => draw(shape, random));
  const moving = tensors.map((_, i) => i).filter((i) => !constants.includes(i));
  const results = tf.tidy(() => {
    const value = op.forward(tensors, attributes);
    const cotangent = draw(value.shape, random);
    const gradients = tf.grads((...moved: tf.Tensor[]) => {
      const all = tensors.map((x, i) => moving.includes(i) ? moved[moving.indexOf(i)] : x);
      return tf.sum(tf.mul(op.forward(all, attributes), cotangent));
    })(moving.map((i) => tensors[i]));
    const moved = tensors.map((x, i) => moving.includes(i) ? draw(x.shape, random) : null);
    return [value, ...gradients, op.jvp(tensors, moved, attributes, value)];
  });
  const values = await Promise.all(results.map((tensor) => tensor.data()));
  tf.dispose([...tensors, ...results]);
  return values;
}

function largestGap(a: ArrayLike<number>, b: ArrayLike<number>): { gap: number; size: number } {
  assertEquals(a.length, b.length);
  let [gap, size] = [0, 0];
  for (let i = 0; i < a.length; i++) {
    const own = Math.abs(a[i] - b[i]);
    gap = Math.max(gap, Number.isNaN(own) ? Infinity : own);
    size = Math.max(size, Math.abs(b[i]));
  }
  return { gap, size };
}

for (const row of ROWS) {
  const title = `${row.op.name}${row.inputs.map((shape) => `[${shape}]`).join("")}`;
  for (const test of [onEachDevice, asOnCard]) {
    test(`${title} computes by kernel what plain ops compute, the same bits each time`, async () => {
      const kernel = await compute(row);
      assertEquals(await compute(row), kernel);
      const plain = await withPlainOps(() => compute(row));
      for (const [i, values] of kernel.entries()) {
        const { gap, size } = largestGap(values, plain[i]);
        assertLess(gap, 2e-5 * Math.max(1, size), `output ${i}`);
      }
    });
  }
}

onEachDevice("matMul agrees with a sum in float64, transposed or not, batched or not", async () => {
  const random = new Random(6, "matMul");
  const sizes = [[1, 1, 1], [5, 512, 1], [16, 64, 64], [33, 70, 129], [8, 4, 12], [64, 500, 64]];
  for (const [m, k, n] of sizes) {
    for (const batch of [0, 3]) {
      for (const [transposeA, transposeB] of [[false, false], [false, true], [true, false]]) {
        const lead = batch ? [batch] : [];
        const a = draw([...lead, ...transposeA ? [k, m] : [m, k]], random);
        const b = draw([...lead, ...transposeB ? [n, k] : [k, n]], random);
        const product = matMul(a, b, { transposeA, transposeB });
        const [x, y, z] = await Promise.all([a.data(), b.data(), product.data()]);
        for (let g = 0; g < Math.max(1, batch); g++) {
          for (let i = 0; i < m; i += 7) {
            for (let j = 0; j < n; j += 5) {
              let sum = 0;
              for (let p = 0; p < k; p++) {
                sum += x[g * m * k + (transposeA ? p * m + i : i * k + p)] *
                  y[g * k * n + (transposeB ? j * k + p : p * n + j)];
              }
              const gap = Math.abs(z[(g * m + i) * n + j] - sum);
              assertLess(gap, 1e-5 * Math.sqrt(k) * 4, `${[m, k, n]} at ${[g, i, j]}`);
            }
          }
        }
        tf.dispose([a, b, product]);
      }
    }
  }
});

const OPTIMISERS: [string, () => Optimiser][] = [
  ["adamW", () => adamW({ ...ADAMW_DEFAULTS, weightDecay: 0.05 })],
  ["sgd", () => sgd({ momentum: 0.9, weightDecay: 1e-3 })],
];
for (const [name, make] of OPTIMISERS) {
  onEachDevice(`${name} steps by kernel as by plain ops`, async () => {
    const run = async () => {
      const random = new Random(7, name);
      const optimiser = make();
      let weights: Record<string, tf.Tensor> = { a: draw([13, 7], random), b: draw([5], random) };
      for (let i = 0; i < 4; i++) {
        const gradients = { a: draw([13, 7], random), b: draw([5], random) };
        weights = { ...optimiser.step(weights, gradients, 0.01) };
        tf.dispose(Object.values(gradients));
      }
      const values = await Promise.all(Object.values(weights).map((tensor) => tensor.data()));
      tf.dispose(Object.values(weights));
      optimiser.dispose();
      return values;
    };
    const kernel = await run();
    const plain = await withPlainOps(run);
    for (const [i, values] of kernel.entries()) {
      assertLess(largestGap(values, plain[i]).gap, 2e-6);
    }
  });
}
