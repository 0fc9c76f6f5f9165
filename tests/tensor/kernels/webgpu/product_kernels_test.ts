import { assertEquals, assertLess } from "@std/assert";
import * as tf from "@tensorflow/tfjs";
import type { WebGPUBackend } from "@tensorflow/tfjs-backend-webgpu";
import { openDevice } from "../../../../lib/tensor/device.ts";
import { blockOf } from "../../../../lib/tensor/kernels/webgpu/mat_mul.ts";
import { multiply } from "../../../../lib/tensor/kernels/webgpu/product.ts";
import { PRODUCT_KERNELS } from "../../../../lib/tensor/kernels/webgpu/product_kernels.ts";
import { isPairs, toHalf } from "../../../../lib/tensor/half.ts";
import { Random } from "../../../../lib/random.ts";

/** Every way that operands lie, ragged sums, batches; more tiles than one and fewer. */
const PRODUCTS = [
  { images: 1, m: 70, n: 68, k: 40, transposeA: false, transposeB: false },
  { images: 1, m: 70, n: 68, k: 40, transposeA: false, transposeB: true },
  { images: 1, m: 70, n: 68, k: 40, transposeA: true, transposeB: false },
  { images: 1, m: 5, n: 3, k: 130, transposeA: false, transposeB: true },
  { images: 3, m: 17, n: 20, k: 33, transposeA: true, transposeB: false },
];

/** Which operands are halves: none, both as in a forward pass, one as in a backward pass. */
const HALVES = [[false, false], [true, true], [false, true]];
const CASES = PRODUCTS.flatMap((product) => HALVES.map((halves) => ({ ...product, halves })));

for (const { images, m, n, k, transposeA, transposeB, halves } of CASES) {
  const named = halves.map((half) => half ? "half" : "float32").join(" by ");
  const title = `${images} x [${m},${k}]${transposeA ? "T" : ""} [${k},${n}]${
    transposeB ? "T" : ""
  }`;
  Deno.test({
    name:
      `multiply ${title}, ${named}, gives the same bits by every kernel, those of a sum in float64 nearly`,
    ignore: await navigator.gpu?.requestAdapter() == null,
    async fn() {
      await openDevice("webgpu");
      const backend = tf.backend() as WebGPUBackend;
      const random = new Random(3, title);
      const draw = (shape: number[]) =>
        tf.tensor(
          Float32Array.from({ length: tf.util.sizeFromShape(shape) }, () => random.normal()),
          shape,
        );
      const a = draw(transposeA ? [images, k, m] : [images, m, k]);
      const b = draw(transposeB ? [images, n, k] : [images, k, n]);
      const bias = draw([n]);
      const operands = [a, b].map((x, i) => halves[i] ? toHalf(x) : x);
      const [left, right] = (await Promise.all([a.data(), b.data()]))
        .map((values, i) => halves[i] ? Float16Array.from(values) : values);
      const shift = await bias.data();
      const due = Float64Array.from({ length: images * m * n }, (_, at) => {
        const [image, i, j] = [Math.floor(at / m / n), Math.floor(at / n) % m, at % n];
        let sum = 0;
        for (let p = 0; p < k; p++) {
          sum += left[image * m * k + (transposeA ? p * m + i : i * k + p)] *
            right[image * k * n + (transposeB ? j * k + p : p * n + j)];
        }
        return 0.5 * sum + shift[j];
      });
      const before = tf.memory().numTensors;
      const bits: string[] = [];
      for (const kernel of PRODUCT_KERNELS) {
        const output = tf.zeros([images, m, n]);
        multiply(backend, {
          a: blockOf(operands[0], !transposeA, isPairs(operands[0])),
          b: blockOf(operands[1], transposeB, isPairs(operands[1])),
          c: { offset: 0, row: n, image: m * n, head: 0 },
          ...{ output, images, heads: 1, m, n, k, scale: 0.5, bias },
        }, kernel);
        const values = await output.data() as Float32Array;
        const gap = Math.max(...values.map((value, at) => Math.abs(value - due[at])));
        assertLess(gap, 1e-5 * Math.sqrt(k), kernel.name);
        bits.push(new Uint32Array(values.buffer, values.byteOffset, values.length).join());
        output.dispose();
      }
      bits.forEach((each, i) => assertEquals(each, bits[0], PRODUCT_KERNELS[i].name));
      assertEquals(tf.memory().numTensors, before);
      tf.dispose([a, b, bias, ...operands]);
    },
  });
}
