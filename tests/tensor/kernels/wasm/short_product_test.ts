import { assertEquals, assertLess } from "@std/assert";
import * as tf from "@tensorflow/tfjs";
import { openDevice } from "../../../../lib/tensor/device.ts";
import { runKernel } from "../../../../lib/tensor/kernel.ts";
import { Random } from "../../../../lib/random.ts";

/** Rows, inner size, columns: all remainders by four, one of each, and none. */
const SIZES = [
  ...[[1, 1, 1], [1, 4, 4], [3, 7, 5], [2, 9, 6], [5, 130, 3], [8, 240, 11], [64, 33, 17]],
  ...[[0, 5, 3], [3, 5, 0], [3, 0, 5]],
];

Deno.test("LetheShortProduct agrees with a sum in float64 on any size, with and without bias", async () => {
  await openDevice("wasm");
  const before = tf.memory().numTensors;
  const random = new Random(8, "short product");
  const draw = (...shape: number[]) => {
    const size = shape.reduce((a, b) => a * b, 1);
    return tf.tensor(Float32Array.from({ length: size }, () => random.normal()), shape);
  };
  for (const [m, k, n] of SIZES) {
    const [a, b, bias] = [draw(m, k), draw(n, k), draw(n)];
    const outputs = [
      ...runKernel("LetheShortProduct", { a, b }),
      ...runKernel("LetheShortProduct", { a, b, bias }),
    ];
    const [x, y, add, plain, biased] = await Promise.all(
      [a, b, bias, ...outputs].map((tensor) => tensor.data()),
    );
    assertEquals(outputs.map(({ shape }) => shape), [[m, n], [m, n]]);
    for (let i = 0; i < m; i++) {
      for (let j = 0; j < n; j++) {
        let sum = 0;
        for (let p = 0; p < k; p++) sum += x[i * k + p] * y[j * k + p];
        const title = `${[m, k, n]} at ${[i, j]}`;
        assertLess(Math.abs(plain[i * n + j] - sum), 2e-6 * (1 + k), title);
        assertLess(Math.abs(biased[i * n + j] - sum - add[j]), 2e-6 * (1 + k), title);
      }
    }
    tf.dispose([a, b, bias, ...outputs]);
  }
  assertEquals(tf.memory().numTensors, before);
});

Deno.test("LetheShortProduct keeps infinities and NaN in the rows that hold them", async () => {
  await openDevice("wasm");
  const a = tf.tensor2d([1, 2, 3, 4, 5, Infinity, 2, 3, 4, 5, 1, 2, NaN, 4, 5], [3, 5]);
  const b = tf.tensor2d([1, 1, 1, 1, 1, 2, 0, 1, 0, 1], [2, 5]);
  const [product] = runKernel("LetheShortProduct", { a, b });
  assertEquals([...await product.data()], [15, 10, Infinity, Infinity, NaN, NaN]);
  tf.dispose([a, b, product]);
});
