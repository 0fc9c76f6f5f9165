import { assertEquals } from "@std/assert";
import * as tf from "@tensorflow/tfjs";
import { openDevice } from "../../../../lib/tensor/device.ts";
import { toHalf } from "../../../../lib/tensor/half.ts";
import { Random } from "../../../../lib/random.ts";
import { HAS_ADAPTER, needing } from "../../../machine.ts";

/** What a value is as a half, on the host. */
function half(x: number): number {
  return new Float16Array([x])[0];
}

for (const columns of [8, 6, 5]) {
  Deno.test({
    ...needing(
      "adapter",
      HAS_ADAPTER,
      `toHalf rounds [3,${columns}] to nearest even, saturates and keeps NaN and infinity`,
    ),
    async fn() {
      await openDevice("webgpu");
      const random = new Random(5, "half");
      const special = [1e5, -7e4, 65519, NaN, Infinity, 1 + 2 ** -11, 1 + 3 * 2 ** -11, 2 ** -25];
      const values = Float32Array.from(
        { length: 3 * columns },
        (_, i) => special[i] ?? random.normal() * 2 ** (random.integer(30) - 20),
      );
      const before = tf.memory().numTensors;
      const x = tf.tensor2d(values, [3, columns]);
      const packed = toHalf(x);
      const words = await packed.data();
      const found = columns % 2 === 0
        ? new Float16Array(Int32Array.from(words).buffer)
        : Float16Array.from(words);
      assertEquals(packed.shape, columns % 2 === 0 ? [3, columns / 2] : [3, columns]);
      const due = [...values].map((value) =>
        half(Number.isFinite(value) ? Math.max(-65504, Math.min(65504, value)) : value)
      );
      assertEquals([...found], due);
      tf.dispose([x, packed]);
      assertEquals(tf.memory().numTensors, before);
    },
  });
}
