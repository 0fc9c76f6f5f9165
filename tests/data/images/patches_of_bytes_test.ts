import { assertAlmostEquals, assertEquals } from "@std/assert";
import * as tf from "@tensorflow/tfjs";
import { joinBytes } from "../../../lib/data/images/join_bytes.ts";
import { patchRows } from "../../../lib/data/images/patches.ts";
import { patchesOfBytes, takesBytes } from "../../../lib/data/images/patches_of_bytes.ts";
import { cutAndResizeHere, drawCut } from "../../../lib/data/images/random_crop.ts";
import { type InputFormat, normalise } from "../../../lib/data/loader/stored_source.ts";
import { Random } from "../../../lib/random.ts";
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
