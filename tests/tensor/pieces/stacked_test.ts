import { assertEquals } from "@std/assert";
import * as tf from "@tensorflow/tfjs";
import { stacked } from "../../../lib/tensor/pieces/stacked.ts";
import { activeWebgpu } from "../../../lib/tensor/recording/owned_tensor.ts";
import { onEachDevice } from "../on_each_device.ts";

onEachDevice(
  "stacked puts tensors side by side, from the host or the device, by copies",
  async () => {
    const before = tf.memory().numTensors;
    const onHost = tf.tensor2d([[1, 2, 3]]);
    const onDevice = tf.add(onHost, 1);
    const backend = activeWebgpu();
    const dispatched = backend?.dispatched;
    const all = stacked([onHost, onDevice, onHost]);
    assertEquals(backend?.dispatched, dispatched);
    assertEquals(all.shape, [3, 1, 3]);
    // Its parts may go before it is there.
    tf.dispose([onHost, onDevice]);
    assertEquals([...await all.data()], [1, 2, 3, 2, 3, 4, 1, 2, 3]);
    all.dispose();
    assertEquals(tf.memory().numTensors, before);
  },
);
