import { assertEquals, assertGreater, assertLess, assertRejects, assertThrows } from "@std/assert";
import * as tf from "@tensorflow/tfjs";
import { LetheError, UsageError } from "../../lib/error.ts";
import { openDevice } from "../../lib/tensor/device.ts";
import type { Op } from "../../lib/tensor/op.ts";
import { attention } from "../../lib/tensor/ops/attention.ts";
import { gelu } from "../../lib/tensor/ops/gelu.ts";
import { linear } from "../../lib/tensor/ops/linear.ts";
import { precision, setPrecision } from "../../lib/tensor/precision.ts";
import { Random } from "../../lib/random.ts";
import { HAS_ADAPTER, needing } from "../machine.ts";

/** Half's unit roundoff. */
const U = 2 ** -11;

/** Value and gradients of an op on the host, for a random cotangent. */
async function passes(op: Op, shapes: readonly number[][], heads?: number) {
  const random = new Random(2, op.name);
  const draw = (shape: readonly number[]) =>
    tf.tensor(
      Float32Array.from({ length: tf.util.sizeFromShape([...shape]) }, () => random.normal()),
      [...shape],
    );
  const inputs = shapes.map(draw);
  const attributes: Record<string, number> = heads === undefined ? {} : { heads };
  const forward = (...given: tf.Tensor[]) => op.forward(given, attributes);
  const value = tf.tidy(() => forward(...inputs));
  // Small as gradients are: halves of them would vanish.
  const cotangent = tf.tidy(() => tf.mul(draw(value.shape), 1e-9));
  const gradients = tf.tidy(() => tf.grads(forward)(inputs, cotangent));
  const results = await Promise.all([value, ...gradients].map((tensor) => tensor.data()));
  tf.dispose([...inputs, value, cotangent, ...gradients]);
  return results;
}

const CASES = [
  { op: linear, shapes: [[37, 12], [20, 12], [20]] },
  { op: linear, shapes: [[9, 7], [5, 7]] },
  { op: gelu, shapes: [[6, 10]] },
  { op: attention, shapes: [[2, 5, 24]], heads: 2 },
];

for (const { op, shapes, heads } of CASES) {
  Deno.test({
    ...needing(
      "adapter",
      HAS_ADAPTER,
      `${op.name} of ${JSON.stringify(shapes)} in half precision is near float32, both ways`,
    ),
    async fn() {
      await openDevice("webgpu");
      const before = tf.memory().numTensors;
      const exact = await passes(op, shapes, heads);
      await openDevice("webgpu", "half");
      const halves = await passes(op, shapes, heads);
      assertEquals(await passes(op, shapes, heads), halves, "the same bits again");
      await openDevice("webgpu");
      assertEquals(precision(), "float32");
      assertEquals(tf.memory().numTensors, before);
      let largest = 0;
      halves.forEach((values, i) => {
        const magnitude = Math.max(...exact[i].map(Math.abs));
        const error = Math.max(...values.map((value, at) => Math.abs(value - exact[i][at])));
        largest = Math.max(largest, error / magnitude);
      });
      // Attention passes three products on the way to its gradient's.
      assertLess(largest, 8 * U);
      assertGreater(largest, U / 50, "nothing was rounded");
    },
  });
}

Deno.test("openDevice refuses half precision on WASM, and setPrecision too", async () => {
  await assertRejects(() => openDevice("wasm", "half"), UsageError, "it needs WebGPU");
  await openDevice("wasm");
  assertThrows(() => setPrecision("half"), LetheError, "it needs a WebGPU adapter");
  assertEquals(precision(), "float32");
});
