import { assert, assertEquals, assertThrows } from "@std/assert";
import * as tf from "@tensorflow/tfjs";
import { drawCut } from "../../../lib/data/images/random_crop.ts";
import { imagesInMemory } from "../../../lib/data/loader/images_in_memory.ts";
import { takesBytes } from "../../../lib/data/images/patches_of_bytes.ts";
import { patchRows } from "../../../lib/data/images/patches.ts";
import {
  type InputFormat,
  normalise,
  storedSource,
} from "../../../lib/data/loader/stored_source.ts";
import { Random } from "../../../lib/random.ts";
import { onEachDevice } from "../../tensor/on_each_device.ts";
import { cutByMatrices } from "../images/cut_by_matrices.ts";

const SIDE = 8;
const FORMAT: InputFormat = {
  imageSize: SIDE,
  patchSize: 4,
  mean: [0.5, 0.4, 0.3],
  std: [0.5, 0.2, 0.1],
  task: "multi-label",
  labels: 2,
};
const FILES = ["a", "b", "c", "d"];
const SAMPLES = FILES.map((file, i) => ({ file, identity: file, targets: [i % 2, i >> 1] }));

function images() {
  const random = new Random(0, "pixels");
  const data = Uint8Array.from({ length: 4 * SIDE * SIDE * 3 }, () => random.integer(256));
  return { data, stored: imagesInMemory(SIDE, data, FILES) };
}

onEachDevice(
  "storedSource mirrors whole images as cutting them would",
  async () => {
    const { data, stored } = images();
    const augmentation = { crop: null, flip: true };
    const indices = [3, 0, 2, 1, 0];
    const source = storedSource(stored, SAMPLES, FORMAT, {
      augmentation,
      random: new Random(1, "flips"),
    });
    const { patches, targets } = source.batch(indices);

    const random = new Random(1, "flips");
    const cuts = indices.map(() => drawCut(augmentation, SIDE, random));
    assert(new Set(cuts.map(({ mirrored }) => mirrored)).size === 2, "some are, some are not");
    const expected = tf.tidy(() => {
      const size = SIDE * SIDE * 3;
      const pixels = indices.flatMap((i) => [...data.subarray(i * size, (i + 1) * size)]);
      const cut = cutByMatrices(tf.tensor4d(pixels, [5, SIDE, SIDE, 3]), cuts, SIDE);
      return patchRows(normalise(cut, FORMAT), FORMAT.patchSize);
    });
    assertEquals(patches.shape, [5 * 4, 3 * 16]);
    const [own, due] = [await patches.data(), await expected.data()];
    // A device that makes its input of bytes rounds once where the ops round twice.
    const off = takesBytes() ? 1e-5 : 0;
    own.forEach((x, i) => assert(Math.abs(x - due[i]) <= off, `element ${i}`));
    assertEquals([...await targets.data()], [1, 1, 0, 0, 0, 1, 1, 0, 0, 0]);
    tf.dispose([patches, targets, expected]);
  },
);

Deno.test("storedSource refuses images of another size than the input, unless they are cut", () => {
  const { stored } = images();
  const larger = { ...FORMAT, imageSize: 16 };
  assertThrows(() => storedSource(stored, SAMPLES, larger), TypeError, "stored side 8");
});
