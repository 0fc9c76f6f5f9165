import { assertEquals } from "@std/assert";
import * as tf from "@tensorflow/tfjs";
import type { MemoryRow, RowTensor } from "../../../lib/model/kit/memory_row.ts";
import { Random } from "../../../lib/random.ts";
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
