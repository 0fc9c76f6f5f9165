import { assert, assertEquals, assertNotEquals } from "@std/assert";
import * as tf from "@tensorflow/tfjs";
import { chooseKernels } from "../../../../lib/tensor/kernels/autotune/choose_kernels.ts";
import { type Device, openDevice } from "../../../../lib/tensor/device.ts";
import { useKernels } from "../../../../lib/tensor/kernels/autotune/kernel_choice.ts";
import {
  cutTo,
  isWorthMeasuring,
} from "../../../../lib/tensor/kernels/autotune/measure_products.ts";
import { caseName, productKernel } from "../../../../lib/tensor/kernels/autotune/product_choice.ts";
import { suitableKernels } from "../../../../lib/tensor/kernels/webgpu/product_kernels.ts";
import { matMul } from "../../../../lib/tensor/mat_mul.ts";
import { HAS_ADAPTER, needing } from "../../../machine.ts";

/** What the test adds is taken back. */
const STORED = "lethe kernels 1";
const PRODUCT = { batch: 1, m: 128, n: 64, k: 48, transposeA: false, transposeB: false };

async function multiplyOnce(): Promise<string> {
  const bits = tf.tidy(() => {
    const a = tf.sin(tf.range(0, PRODUCT.m * PRODUCT.k)).reshape([PRODUCT.m, PRODUCT.k]);
    const b = tf.cos(tf.range(0, PRODUCT.k * PRODUCT.n)).reshape([PRODUCT.k, PRODUCT.n]);
    return matMul(a, b);
  });
  const values = await bits.data();
  bits.dispose();
  return [...values].join();
}

Deno.test({
  ...needing(
    "adapter",
    HAS_ADAPTER,
    "chooseKernels measures a run's products once per adapter, and leaves bits and memory alone",
  ),
  async fn() {
    // An adapter of this test alone: what was measured before must not matter.
    const device: Device = { ...await openDevice("webgpu"), adapter: crypto.randomUUID() };
    const stored = localStorage.getItem(STORED);
    const measured: number[] = [];
    // A card's first programs take seconds to compile.
    const first = chooseKernels(device, undefined, (done) => measured.push(done), 60);
    const before = await multiplyOnce();
    const tensors = tf.memory().numTensors;
    await first.settle();
    assertEquals(tf.memory().numTensors, tensors);
    assertEquals(measured, [1]);
    const chosen = first.choice!;
    assertEquals(chosen.adapter, device.adapter);
    assertEquals(Object.keys(chosen.products), [caseName(PRODUCT)]);
    assert(suitableKernels().some(({ name }) => name === chosen.products[caseName(PRODUCT)]));
    assertEquals(await multiplyOnce(), before);

    const second = chooseKernels(device, undefined, () => assert(false, "measured again"));
    await multiplyOnce();
    await second.settle();
    assertEquals(second.choice, chosen);
    useKernels(undefined);
    if (stored === null) localStorage.removeItem(STORED);
    else localStorage.setItem(STORED, stored);
  },
});

Deno.test({
  ...needing(
    "adapter",
    HAS_ADAPTER,
    "chooseKernels keeps to what a model of this adapter was made with, and to no other's",
  ),
  async fn() {
    const device = await openDevice("webgpu");
    // Any but the one that would be taken anyway.
    const estimated = productKernel(PRODUCT);
    const kernel = suitableKernels().findLast((each) => each !== estimated)!;
    const products = { [caseName(PRODUCT)]: kernel.name };
    const own = { adapter: device.adapter, products };
    const choosing = chooseKernels(device, own);
    await multiplyOnce();
    assertEquals(productKernel(PRODUCT), kernel);
    await choosing.settle();
    assertEquals(choosing.choice, own);
    assertEquals(productKernel(PRODUCT), kernel);

    chooseKernels(device, { adapter: "another", products });
    assertNotEquals(productKernel(PRODUCT), kernel);
    useKernels(undefined);
  },
});

Deno.test("chooseKernels chooses nothing on WASM", async () => {
  const choosing = chooseKernels(await openDevice("wasm"));
  await multiplyOnce();
  await choosing.settle();
  assertEquals(choosing.choice, undefined);
});

Deno.test("cutTo halves the largest sizes and keeps rows in fours", () => {
  const large = { batch: 1, m: 6304, n: 2304, k: 767, transposeA: false, transposeB: true };
  const cut = cutTo(large, 2 ** 24);
  assert(cut.batch * cut.m * cut.n * cut.k <= 2 ** 24 && isWorthMeasuring(cut));
  assertEquals([cut.m % 4, cut.n % 4], [0, 0]);
  assertEquals(cutTo(PRODUCT, 2 ** 24), PRODUCT);
});
