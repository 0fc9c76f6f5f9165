import { assert, assertAlmostEquals, assertEquals } from "@std/assert";
import * as tf from "@tensorflow/tfjs";
import { Random } from "../../../lib/random.ts";
import { activeWebgpu } from "../../../lib/tensor/recording/owned_tensor.ts";
import { useRecording } from "../../../lib/tensor/recording/recorded.ts";
import { disposeWeights, type Weights } from "../../../lib/tensor/weights.ts";
import { flatten } from "../../../lib/unlearn/memory/flat.ts";
import { Moved } from "../../../lib/unlearn/memory/moved.ts";
import { onEachDevice } from "../../tensor/on_each_device.ts";

onEachDevice("Moved gives theta + scale x, the same bits recorded and unrecorded", async () => {
  const random = new Random(0, "moved");
  const noise = (size: number) => Float32Array.from({ length: size }, () => random.normal());
  const theta: Weights = { a: tf.tensor2d(noise(12), [3, 4]), b: tf.tensor1d(noise(5)) };
  const start = await flatten(theta);
  const asked = [0.5, -2, 0.5].map((scale) => ({ scale, x: noise(17) }));
  const all = async () => {
    const moved = new Moved(theta);
    const found: Float32Array[] = [];
    let before: Weights | null = null;
    for (const { x, scale } of asked) {
      const after = moved.by(x, scale);
      // Who keeps a model by its identity must not take the next one for it.
      assert(after !== before);
      before = after;
      found.push(await flatten(after));
    }
    moved.dispose();
    return found;
  };
  const replayed = activeWebgpu()?.replayed ?? 0;
  const found = await all();
  const backend = activeWebgpu();
  if (backend) assert(backend.replayed > replayed, "nothing was replayed");
  for (const [i, { x, scale }] of asked.entries()) {
    found[i].forEach((value, k) => assertAlmostEquals(value, start[k] + scale * x[k], 1e-5));
  }
  useRecording(false);
  try {
    assertEquals(await all(), found);
  } finally {
    useRecording(true);
  }
  assertEquals(await flatten(theta), start);
  disposeWeights(theta);
});
