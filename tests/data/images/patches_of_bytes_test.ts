import { assertAlmostEquals, assertEquals } from "@std/assert";
import * as tf from "@tensorflow/tfjs";
import { joinBytes } from "../../../lib/data/images/join_bytes.ts";
import { patchRows } from "../../../lib/data/images/patches.ts";
import {
  patchesForm,
  patchesOfBytes,
  takesBytes,
} from "../../../lib/data/images/patches_of_bytes.ts";
import { cutAndResizeHere, drawCut } from "../../../lib/data/images/random_crop.ts";
import { type InputFormat, normalise } from "../../../lib/data/loader/stored_source.ts";
import { Random } from "../../../lib/random.ts";
import { activeWebgpu } from "../../../lib/tensor/recording/owned_tensor.ts";
import { Recorded, useRecording } from "../../../lib/tensor/recording/recorded.ts";
import { onEachDevice } from "../../tensor/on_each_device.ts";

const FORMAT: InputFormat = {
  imageSize: 8,
  patchSize: 4,
  mean: [0.5, 0.4, 0.3],
  std: [0.5, 0.2, 0.1],
  task: "multi-label",
  labels: 2,
};

Deno.test("joinBytes fills up to whole words", () => {
  assertEquals([...joinBytes([Uint8Array.of(1, 2), Uint8Array.of(3)])], [1, 2, 3, 0]);
});

onEachDevice(
  "patchesOfBytes gives the picture that this processor makes, cut or whole",
  async () => {
    if (!takesBytes()) return;
    const crop = { scale: [0.3, 1] as const, ratio: [3 / 4, 4 / 3] as const };
    const random = new Random(2, "pixels");
    // An odd number of bytes per image, so that images begin within a word.
    for (const [side, varied] of [[13, true], [8, false]] as const) {
      const images = Array.from(
        { length: 5 },
        () => Uint8Array.from({ length: side * side * 3 }, () => random.integer(256)),
      );
      const cuts = varied ? images.map(() => drawCut({ crop, flip: true }, side, random)) : null;
      const patches = patchesOfBytes(joinBytes(images), images.length, side, cuts, FORMAT);
      const size = FORMAT.imageSize ** 2 * 3;
      const pixels = new Float32Array(images.length * size);
      images.forEach((image, i) => {
        if (cuts) cutAndResizeHere(image, side, cuts[i], FORMAT.imageSize, pixels, i * size);
        else pixels.set(image, i * size);
      });
      const due = tf.tidy(() =>
        patchRows(normalise(tf.tensor4d(pixels, [5, 8, 8, 3]), FORMAT), FORMAT.patchSize)
      );
      assertEquals(patches.shape, due.shape);
      const [own, expected] = [await patches.data(), await due.data()];
      own.forEach((x, i) => assertAlmostEquals(x, expected[i], 1e-4, `${side} px, element ${i}`));
      tf.dispose([patches, due]);
    }
  },
);

onEachDevice(
  "patchesOfBytes are cut within the recorded step that they go into, to the same bits",
  async () => {
    const backend = activeWebgpu();
    if (!backend) return;
    const random = new Random(3, "pixels");
    const [side, count, crop] = [11, 3, { scale: [0.3, 1] as const, ratio: [1, 1] as const }];
    const batches = Array.from({ length: 3 }, () => {
      const images = Array.from(
        { length: count },
        () => Uint8Array.from({ length: side * side * 3 }, () => random.integer(256)),
      );
      return {
        images,
        cuts: images.map(() => drawCut({ crop, flip: true }, side, random)),
      };
    });
    const tensors = tf.memory().numTensors;
    let recordings = 0;
    const run = async (prepared: boolean) => {
      const step = new Recorded(({ x }: { x: tf.Tensor }) => {
        recordings++;
        return { y: tf.sub(x, 1) };
      });
      if (prepared) step.prepare({ x: patchesForm(count, side, FORMAT) });
      const found: number[][] = [];
      for (const { images, cuts } of batches) {
        const x = patchesOfBytes(joinBytes(images), count, side, cuts, FORMAT);
        const { y } = step.run({ x });
        x.dispose();
        found.push([...await y.data()]);
      }
      step.dispose();
      return found;
    };
    useRecording(false);
    const expected = await run(false).finally(() => useRecording(true));
    const { dispatched } = backend;
    recordings = 0;
    assertEquals(await run(true), expected);
    assertEquals(recordings, 1);
    assertEquals(await run(false), expected);
    assertEquals(recordings, 2);
    assertEquals(backend.dispatched, dispatched, "op by op");
    assertEquals(tf.memory().numTensors, tensors);
  },
);
