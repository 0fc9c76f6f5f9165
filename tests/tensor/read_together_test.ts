import { assertEquals } from "@std/assert";
import * as tf from "@tensorflow/tfjs";
import { layoutOf, Pieces } from "../../lib/tensor/pieces/pieces.ts";
import { readTogether } from "../../lib/tensor/read_together.ts";
import { activeWebgpu } from "../../lib/tensor/recording/owned_tensor.ts";
import { onEachDevice } from "./on_each_device.ts";

onEachDevice(
  "readTogether gives the numbers of many tensors, in one read, from wherever they lie",
  async () => {
    const backend = activeWebgpu();
    const own: Record<string, tf.Tensor> = Object.fromEntries(
      Array.from({ length: 40 }, (_, i) => [`w${i}`, tf.fill([i % 7 + 1, 3], i + 0.5)]),
    );
    const pieces = backend && new Pieces(backend, layoutOf(backend, own));
    pieces?.write(own);
    const computed = Object.values(own).map((tensor) => tf.mul(tensor, 2));
    const [scalar, empty] = [tf.scalar(-1), tf.zeros([0, 4])];
    const all = [...Object.values(pieces?.weights ?? own), scalar, ...computed, empty];
    const reads = backend?.reads.told.all ?? 0;
    const values = await readTogether(all);
    // What the host still has parts what is read.
    if (backend) assertEquals(backend.reads.told.all - reads, 2);
    assertEquals(
      values.map((each) => [...each]),
      [
        ...Array.from({ length: 40 }, (_, i) => Array(3 * (i % 7 + 1)).fill(i + 0.5)),
        [-1],
        ...Array.from({ length: 40 }, (_, i) => Array(3 * (i % 7 + 1)).fill(2 * i + 1)),
        [],
      ],
    );
    pieces?.dispose();
    tf.dispose([own, computed, scalar, empty]);
  },
);
