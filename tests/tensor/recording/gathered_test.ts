import { assertEquals } from "@std/assert";
import * as tf from "@tensorflow/tfjs";
import { openDevice } from "../../../lib/tensor/device.ts";
import { Gathered } from "../../../lib/tensor/recording/gathered.ts";
import { onEachDevice } from "../on_each_device.ts";

onEachDevice("Gathered tells results in the order of their steps, as they were then", async () => {
  // Two numbers at most wait together; the last result is larger than that.
  const results = new Gathered(2);
  const told: number[][] = [];
  for (const [i, size] of [1, 1, 2, 1, 5].entries()) {
    const x = tf.tidy(() => tf.add(tf.zeros([size]), i));
    await results.add([x], (values) => told.push([...values]));
    x.dispose();
  }
  await results.settle();
  assertEquals(told, [[0], [1], [2, 2], [3], [4, 4, 4, 4, 4]]);
  const x = tf.tensor([7]);
  await results.add([x, x], (...both) => told.push(both.map(([value]) => value)));
  x.dispose();
  await results.finish();
  assertEquals(told.at(-1), [7, 7]);
});

Deno.test("Gathered keeps the order on WASM where an earlier read ends later", async () => {
  await openDevice("wasm");
  const ends = [1, 2, 3].map(() => Promise.withResolvers<Float32Array>());
  const results = new Gathered();
  const told: number[] = [];
  for (const { promise } of ends) {
    // The third waits for the first.
    const added = results.add(
      [{ size: 1, data: () => promise } as unknown as tf.Tensor],
      ([value]) => told.push(value),
    );
    if (promise !== ends[2].promise) await added;
  }
  ends.toReversed().forEach(({ resolve }, i) => resolve(Float32Array.of(3 - i)));
  await results.finish();
  assertEquals(told, [1, 2, 3]);
});
