import { assert, assertEquals, assertLess } from "@std/assert";
import * as tf from "@tensorflow/tfjs";
import { openDevice } from "../../../../lib/tensor/device.ts";
import { runKernel } from "../../../../lib/tensor/kernel.ts";
import { Random } from "../../../../lib/random.ts";

const EPSILON = 1e-5;

type Rows = number[][];

/** [y, dx, dgamma, dbeta] in float64. */
function expected(x: Rows, dy: Rows, gamma: number[], beta: number[]) {
  const d = gamma.length;
  const mean = (values: number[]) => values.reduce((a, b) => a + b, 0) / d;
  const [dGamma, dBeta] = [Array<number>(d).fill(0), Array<number>(d).fill(0)];
  const [y, dx]: [Rows, Rows] = [[], []];
  for (const [i, row] of x.entries()) {
    const rstd = 1 / Math.sqrt(mean(row.map((v) => (v - mean(row)) ** 2)) + EPSILON);
    const normal = row.map((v) => (v - mean(row)) * rstd);
    const g = dy[i].map((v, j) => v * gamma[j]);
    const [sum, along] = [mean(g), mean(g.map((v, j) => v * normal[j]))];
    y.push(normal.map((v, j) => v * gamma[j] + beta[j]));
    dx.push(normal.map((v, j) => rstd * (g[j] - sum - v * along)));
    normal.forEach((v, j) => dGamma[j] += dy[i][j] * v);
    dy[i].forEach((v, j) => dBeta[j] += v);
  }
  return [y.flat(), dx.flat(), dGamma, dBeta];
}

async function compute(x: tf.Tensor, dy: tf.Tensor, gamma: tf.Tensor, beta: tf.Tensor) {
  const [y, moments] = runKernel("LetheLayerNorm", { x, gamma, beta }, { epsilon: EPSILON });
  const gradients = runKernel("LetheLayerNormGrad", { dy, x, gamma, moments });
  const values = await Promise.all([y, ...gradients].map((tensor) => tensor.data()));
  tf.dispose([y, moments, ...gradients]);
  return values;
}

Deno.test("LetheLayerNorm and its gradient on WASM agree with float64 on any width", async () => {
  await openDevice("wasm");
  const before = tf.memory().numTensors;
  const random = new Random(9, "layer norm");
  for (const d of [1, 2, 3, 4, 5, 8, 11, 96]) {
    for (const m of [0, 1, 3]) {
      const draw = (offset = 0) => Array.from({ length: d }, () => offset + random.normal());
      // The second row lies far from zero for its spread.
      const x = Array.from({ length: m }, (_, i) => draw(i === 1 ? 30 : 0).map(Math.fround));
      const [dy, gamma, beta] = [x.map(() => draw()), draw(), draw()];
      const tensors = [tf.tensor2d(x.flat(), [m, d]), tf.tensor2d(dy.flat(), [m, d])];
      const vectors = [tf.tensor1d(gamma), tf.tensor1d(beta)];
      const values = await compute(tensors[0], tensors[1], vectors[0], vectors[1]);
      for (const [i, wanted] of expected(x, dy, gamma, beta).entries()) {
        assertEquals(values[i].length, wanted.length);
        // A spread of d = 2 may be small: x^ and dx then carry x's rounding, enlarged.
        const scale = Math.max(1, ...wanted.map(Math.abs));
        wanted.forEach((value, j) => {
          assertLess(
            Math.abs(values[i][j] - value),
            5e-5 * scale,
            `output ${i}, ${[m, d]} at ${j}`,
          );
        });
      }
      tf.dispose([...tensors, ...vectors]);
    }
  }
  assertEquals(tf.memory().numTensors, before);
});

Deno.test("LetheLayerNorm on WASM turns a constant row into beta and keeps NaN within its row", async () => {
  await openDevice("wasm");
  const x = tf.tensor2d([5, 5, 5, 5, 5, 1, 2, 3, 4, 5, 1, 2, Infinity, 4, 5], [3, 5]);
  const [gamma, beta, dy] = [tf.fill([5], 2), tf.tensor1d([1, 2, 3, 4, 5]), tf.ones([3, 5])];
  const [y, dx] = await compute(x, dy, gamma, beta);
  assertEquals([...y.slice(0, 5)], [1, 2, 3, 4, 5]);
  assert([...y.slice(0, 10), ...dx.slice(0, 10)].every(Number.isFinite));
  assert([...y.slice(10)].some(Number.isNaN));
  tf.dispose([x, gamma, beta, dy]);
});
