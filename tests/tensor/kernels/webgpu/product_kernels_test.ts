import { assertAlmostEquals, assertEquals, assertLess } from "@std/assert";
import * as tf from "@tensorflow/tfjs";
import type { WebGPUBackend } from "@tensorflow/tfjs-backend-webgpu";
import { openDevice } from "../../../../lib/tensor/device.ts";
import { blockOf } from "../../../../lib/tensor/kernels/webgpu/mat_mul.ts";
import { multiply } from "../../../../lib/tensor/kernels/webgpu/product.ts";
import {
  PRODUCT_KERNELS,
  type ProductKernel,
} from "../../../../lib/tensor/kernels/webgpu/product_kernels.ts";
import { isPairs, toHalf } from "../../../../lib/tensor/half.ts";
import { Random } from "../../../../lib/random.ts";
import { HAS_ADAPTER, needing } from "../../../machine.ts";

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

/** Drivers on a CPU take a second to compile a tiled kernel: each case takes two of them in turn. */
function kernelsOf(at: number): ProductKernel[] {
  const tiled = PRODUCT_KERNELS.filter(({ depth }) => depth > 0);
  const turn = [2 * at, 2 * at + 1].map((i) => tiled[i % tiled.length]);
  return PRODUCT_KERNELS.filter((kernel) => kernel.depth === 0 || turn.includes(kernel));
}

for (const [at, { images, m, n, k, transposeA, transposeB, halves }] of CASES.entries()) {
  const named = halves.map((half) => half ? "half" : "float32").join(" by ");
  const title = `${images} x [${m},${k}]${transposeA ? "T" : ""} [${k},${n}]${
    transposeB ? "T" : ""
  }`;
  Deno.test({
    ...needing(
      "adapter",
      HAS_ADAPTER,
      `multiply ${title}, ${named}, gives the same bits by every kernel, those of a sum in float64 nearly`,
    ),
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
      for (const kernel of kernelsOf(at)) {
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
      bits.forEach((each, i) => assertEquals(each, bits[0], kernelsOf(at)[i].name));
      assertEquals(tf.memory().numTensors, before);
      tf.dispose([a, b, bias, ...operands]);
    },
  });
}

/** GELU and its derivative in float64. */
function geluOf(x: number): { value: number; slope: number } {
  let [term, sum] = [x, x];
  // Phi(x) - 1/2 as its series, which converges fast for the small x of this test.
  for (let i = 1; i < 60; i++) sum += (term *= -x * x / 2 / i) / (2 * i + 1);
  const density = Math.exp(-x * x / 2) / Math.sqrt(2 * Math.PI);
  const distribution = 0.5 + sum / Math.sqrt(2 * Math.PI);
  return { value: x * distribution, slope: distribution + x * density };
}

for (const [m, n, k] of [[40, 36, 24], [21, 35, 30]]) {
  Deno.test({
    ...needing(
      "adapter",
      HAS_ADAPTER,
      `multiply [${k},${m}]T [${k},${n}] ends with what it is asked for, and sums a's rows`,
    ),
    async fn() {
      await openDevice("webgpu");
      const backend = tf.backend() as WebGPUBackend;
      const random = new Random(4, `${m}`);
      const draw = (shape: number[]) =>
        tf.tensor(
          Float32Array.from({ length: tf.util.sizeFromShape(shape) }, () => random.normal() / 2),
          shape,
        );
      const [a, b, other] = [draw([k, m]), draw([k, n]), draw([m, n])];
      const [left, right, beside] = await Promise.all([a.data(), b.data(), other.data()]);
      const plain = Float64Array.from({ length: m * n }, (_, at) => {
        let sum = 0;
        for (let p = 0; p < k; p++) sum += left[p * m + Math.floor(at / n)] * right[p * n + at % n];
        return sum;
      });
      const due = {
        add: plain.map((x, i) => x + beside[i]),
        before: plain.map((x) => geluOf(x).value),
        slope: plain.map((x, i) => x * geluOf(beside[i]).slope),
      };
      const before = tf.memory().numTensors;
      for (const kernel of [PRODUCT_KERNELS[1], PRODUCT_KERNELS.at(-1)!]) {
        const tiled = kernel.depth > 0;
        // Code for sizes that are no multiples of four is long, and slow to compile.
        const kinds = n % 4 === 0 ? ["add", "before", "slope"] as const : ["before"] as const;
        for (const kind of kinds) {
          const output = tf.zeros([1, m, n]);
          const written = tf.zeros([1, m, n]);
          const rowSums = tf.zeros([1, m]);
          multiply(backend, {
            a: blockOf(a, false),
            b: blockOf(b, false),
            c: { offset: 0, row: n, image: m * n, head: 0 },
            ...{ output, images: 1, heads: 1, m, n, k },
            ...tiled ? { rowSums } : {},
            ending: { [kind]: kind === "before" ? written : other },
          }, kernel);
          const [values, sums, raw] = await Promise.all(
            [output, rowSums, written].map((tensor) => tensor.data()),
          );
          values.forEach((x, i) => assertAlmostEquals(x, due[kind][i], 2e-5, kernel.name));
          sums.forEach((x, i) => {
            let sum = 0;
            if (!tiled) return;
            for (let p = 0; p < k; p++) sum += left[p * m + i];
            assertAlmostEquals(x, sum, 1e-5, kernel.name);
          });
          if (kind === "before") raw.forEach((x, i) => assertAlmostEquals(x, plain[i], 2e-5));
          tf.dispose([output, written, rowSums]);
        }
      }
      assertEquals(tf.memory().numTensors, before);
      tf.dispose([a, b, other]);
    },
  });
}
