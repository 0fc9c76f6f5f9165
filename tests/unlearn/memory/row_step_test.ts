import { assertEquals } from "@std/assert";
import * as tf from "@tensorflow/tfjs";
import type { MemoryRow, RowTensor } from "../../../lib/model/kit/memory_row.ts";
import { Random } from "../../../lib/random.ts";
import { activeWebgpu } from "../../../lib/tensor/recording/owned_tensor.ts";
import { disposeWeights, mapWeights, type Weights } from "../../../lib/tensor/weights.ts";
import { flatten } from "../../../lib/unlearn/memory/flat.ts";
import { subtractRows, takenByRows } from "../../../lib/unlearn/memory/row_step.ts";
import { onEachDevice } from "../../tensor/on_each_device.ts";

onEachDevice(
  "takenByRows gives what subtractRows takes from zeros, bit for bit, of rows of any kind",
  async () => {
    const random = new Random(0, "rows");
    const noise = (size: number) => Float32Array.from({ length: size }, () => random.normal());
    const theta: Weights = { "b.weight": tf.tensor2d(noise(12), [4, 3]), a: tf.tensor1d(noise(5)) };
    const row = (step: Record<string, RowTensor>): MemoryRow => ({
      step: new Map(Object.entries(step)),
      centroid: noise(2),
    });
    const whole = () => ({ whole: noise(12) });
    const kinds: Record<string, MemoryRow[]> = {
      whole: [1, 2, 3].map(() => row({ "b.weight": whole(), a: { whole: noise(5) } })),
      "of some tensors": [row({ "b.weight": whole() }), row({ a: { whole: noise(5) } })],
      "at a rank": [1, 2].map(() =>
        row({ "b.weight": { left: noise(4), right: noise(3) }, a: { whole: noise(5) } })
      ),
    };
    for (const [kind, rows] of Object.entries(kinds)) {
      const zeros = mapWeights(theta, tf.zerosLike);
      const taken = subtractRows(zeros, rows);
      assertEquals(await takenByRows(theta, rows), await flatten(taken), kind);
      for (const weights of [zeros, taken]) disposeWeights(weights);
    }
    disposeWeights(theta);
  },
);

onEachDevice(
  "subtractRows takes whole rows out a program each, to the bits of one subtraction after the other",
  async () => {
    const random = new Random(1, "rows");
    const noise = (size: number) => Float32Array.from({ length: size }, () => random.normal());
    const shapes: Record<string, number[]> = { "b.weight": [40, 3], a: [5], c: [1], d: [7] };
    const theta: Weights = Object.fromEntries(
      Object.entries(shapes).map(([name, shape]) => [
        name,
        tf.tensor(noise(shape.reduce((a, b) => a * b)), shape),
      ]),
    );
    const rows = [["a", "b.weight", "c"], ["b.weight"], ["a", "c"]].map((names): MemoryRow => ({
      step: new Map(names.map((name) => [name, { whole: noise(theta[name].size) }])),
      centroid: noise(2),
    }));
    const due = mapWeights(
      theta,
      (tensor, name) =>
        tf.tidy(() =>
          rows.reduce((moved: tf.Tensor, { step }) => {
            const own = step.get(name);
            return own && "whole" in own
              ? tf.sub(moved, tf.tensor(own.whole, tensor.shape))
              : moved;
          }, tf.clone(tensor))
        ),
    );
    const before = tf.memory().numTensors;
    const backend = activeWebgpu();
    const dispatched = backend?.dispatched ?? 0;
    const moved = subtractRows(theta, rows);
    if (backend) assertEquals(backend.dispatched - dispatched, rows.length);
    assertEquals(tf.memory().numTensors, before + Object.keys(theta).length);
    for (const name of Object.keys(theta)) {
      assertEquals(await moved[name].data(), await due[name].data(), name);
      assertEquals(moved[name].shape, theta[name].shape);
    }
    for (const weights of [theta, due, moved]) disposeWeights(weights);
  },
);
