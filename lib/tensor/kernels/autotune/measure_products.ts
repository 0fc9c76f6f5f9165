import * as tf from "@tensorflow/tfjs";
import type { WebGPUBackend } from "@tensorflow/tfjs-backend-webgpu";
import { Random } from "../../../random.ts";
import { blockOf } from "../webgpu/mat_mul.ts";
import { multiply } from "../webgpu/product.ts";
import { caseName, type ProductCase, type ProductChoice } from "./product_choice.ts";
import { estimatedKernel, type ProductKernel, suitableKernels } from "../webgpu/product_kernels.ts";

/** Multiply-adds below which a product takes no time that a choice could save. */
const WORTH_MEASURING = 2 ** 18;
/** Multiply-adds of the first measurement, which finds out what the adapter can do. */
const PROBE = 2 ** 24;
/** Seconds that one measurement of the fastest kernel should take: larger products are cut. */
const ENOUGH_SECONDS = 0.02;
const ROUNDS = 3;
/** Kernels this many times slower on the largest product than the fastest are not tried on others. */
const HOPELESS = 2;

/** Multiply-adds of a product. */
function work({ batch, m, n, k }: ProductCase): number {
  return batch * m * n * k;
}

/** Whether it pays to measure a product. */
export function isWorthMeasuring(product: ProductCase): boolean {
  return work(product) >= WORTH_MEASURING;
}

/** A product with its largest sizes halved until it has at most that many multiply-adds. */
export function cutTo(product: ProductCase, most: number): ProductCase {
  const sizes = ["batch", "m", "n", "k"] as const;
  let cut = product;
  while (work(cut) > most) {
    const largest = sizes.reduce((a, b) => cut[b] > cut[a] ? b : a);
    // Rows that lie in fours go on doing so.
    const step = cut[largest] % 4 === 0 ? 4 : 1;
    cut = { ...cut, [largest]: Math.max(step, Math.floor(cut[largest] / 2 / step) * step) };
  }
  return cut;
}

/** Seconds that the device computes what `queue` queues. */
async function secondsOf(backend: WebGPUBackend, queue: () => void): Promise<number> {
  const begun = performance.now();
  if (!backend.device.features.has("timestamp-query")) {
    const times = 4;
    for (let i = 0; i < times; i++) queue();
    await backend.queue.onSubmittedWorkDone();
    return (performance.now() - begun) / 1000 / times;
  }
  const { kernelMs } = await tf.time(queue);
  return (kernelMs as number || performance.now() - begun) / 1000;
}

/**
 * Times kernels on one product by turns.
 *
 * @returns seconds by kernel, the least of all rounds; without those whose bits are not those of the
 *   estimated kernel, so that a choice never changes a result
 */
async function race(
  backend: WebGPUBackend,
  product: ProductCase,
  kernels: readonly ProductKernel[],
): Promise<Map<ProductKernel, number>> {
  const { batch: images, m, n, k, transposeA, transposeB } = product;
  const random = new Random(1, "measured products");
  const draw = (shape: number[]) => {
    const values = Float32Array.from(
      { length: tf.util.sizeFromShape(shape) },
      () => random.uniform() - 0.5,
    );
    return tf.tensor(values, shape);
  };
  const a = draw(transposeA ? [images, k, m] : [images, m, k]);
  const b = draw(transposeB ? [images, n, k] : [images, k, n]);
  const output = tf.zeros([images, m, n]);
  const queue = (kernel: ProductKernel) =>
    multiply(backend, {
      a: blockOf(a, !transposeA),
      b: blockOf(b, transposeB),
      c: { offset: 0, row: n, image: m * n, head: 0 },
      ...{ output, images, heads: 1, m, n, k },
    }, kernel);
  const bitsOf = async (kernel: ProductKernel) => {
    queue(kernel);
    // A copy: tfjs keeps what it read of a tensor and would not read it again.
    const copy = tf.add(output, 0);
    const values = await copy.data();
    copy.dispose();
    return new Uint32Array(values.buffer, values.byteOffset, values.length);
  };
  const due = await bitsOf(estimatedKernel(product));
  const times = new Map<ProductKernel, number>();
  for (const kernel of kernels) {
    const bits = await bitsOf(kernel);
    if (bits.every((value, i) => value === due[i])) times.set(kernel, Infinity);
  }
  for (let round = 0; round < ROUNDS; round++) {
    for (const [kernel, best] of times) {
      times.set(kernel, Math.min(best, await secondsOf(backend, () => queue(kernel))));
    }
  }
  tf.dispose([a, b, output]);
  return times;
}

/**
 * Measures which kernel computes each product fastest on this adapter, the largest first. Large
 * products are measured on a part of themselves.
 *
 * @param seconds after which no further product is begun: what is left out is for another run
 * @param onProduct called after each
 */
export async function measureProducts(
  backend: WebGPUBackend,
  products: readonly ProductCase[],
  seconds: number,
  onProduct?: (done: number) => void,
): Promise<ProductChoice> {
  const end = performance.now() + 1000 * seconds;
  const choice: Record<string, string> = {};
  const ordered = products.toSorted((a, b) => work(b) - work(a));
  if (ordered.length === 0) return choice;
  const fastest = (times: ReadonlyMap<ProductKernel, number>) =>
    [...times].reduce((a, b) => b[1] < a[1] ? b : a);
  // A part of the largest product tells which kernels are far too slow, and how long a measurement must be.
  const probe = cutTo(ordered[0], PROBE);
  const probed = await race(backend, probe, suitableKernels());
  const [, least] = fastest(probed);
  const most = Math.max(PROBE, work(probe) / least * ENOUGH_SECONDS);
  const kernels = [...probed].filter(([, seconds]) => seconds <= HOPELESS * least)
    .map(([kernel]) => kernel);
  for (const [done, product] of ordered.entries()) {
    if (performance.now() > end) break;
    const [kernel] = fastest(await race(backend, cutTo(product, most), kernels));
    choice[caseName(product)] = kernel.name;
    onProduct?.(done + 1);
  }
  return choice;
}
