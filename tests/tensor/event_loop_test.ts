import { assert, assertEquals } from "@std/assert";
import * as tf from "@tensorflow/tfjs";
import { turnOnReads } from "../../lib/tensor/event_loop.ts";
import { onEachDevice } from "./on_each_device.ts";

onEachDevice(
  "openDevice's results let the event loop in while they are read one after another",
  async () => {
    let turned = false;
    const timer = setTimeout(() => turned = true, 0);
    const one = tf.scalar(1);
    // Without a turn this would go on for ever: it is the failure's end, not the test's.
    for (const begun = performance.now(); !turned && performance.now() - begun < 20_000;) {
      const two = tf.add(one, one);
      assertEquals((await two.data())[0], 2);
      two.dispose();
    }
    one.dispose();
    clearTimeout(timer);
    assert(turned);
  },
);

Deno.test("turnOnReads has values read before the turn, when their tensor is still there", async () => {
  const held = new Map([[1, "values"]]);
  const backend = { read: (id: number) => Promise.resolve(held.get(id)) };
  turnOnReads(backend);
  const read = backend.read(1);
  held.delete(1);
  assertEquals(await read, "values");
});
