import { assert, assertAlmostEquals, assertEquals } from "@std/assert";
import * as tf from "@tensorflow/tfjs";
import { cutAndResizeHere, drawCut } from "../../../lib/data/images/random_crop.ts";
import { Random } from "../../../lib/random.ts";
import { onEachDevice } from "../../tensor/on_each_device.ts";
import { cutByMatrices } from "./cut_by_matrices.ts";

const crop = { scale: [0.3, 1] as const, ratio: [3 / 4, 4 / 3] as const };

Deno.test("drawCut stays inside the image and keeps to the shares and ratios asked for", () => {
  const random = new Random(0, "cuts");
  for (let i = 0; i < 500; i++) {
    const cut = drawCut({ crop, flip: true }, 64, random);
    assert(
      cut.top >= 0 && cut.top + cut.height <= 64 && cut.left >= 0 && cut.left + cut.width <= 64,
    );
    const share = cut.height * cut.width / 64 ** 2;
    assert(share > 0.27 && share <= 1, `share ${share}`);
    const ratio = cut.width / cut.height;
    assert(ratio > 0.7 && ratio < 1.42, `ratio ${ratio}`);
  }
});

Deno.test("drawCut mirrors about half of the images, and none without flip", () => {
  const random = new Random(1, "flips");
  const mirrored = (flip: boolean) =>
    Array.from({ length: 1000 }, () => drawCut({ crop: null, flip }, 8, random))
      .filter((cut) => cut.mirrored).length;
  assertAlmostEquals(mirrored(true), 500, 70);
  assertEquals(mirrored(false), 0);
});

onEachDevice("cutAndResizeHere gives what two matrix products give", async () => {
  const [s, side] = [13, 8];
  const random = new Random(2, "pixels");
  const image = Uint8Array.from({ length: s * s * 3 }, () => random.integer(256));
  const cuts = Array.from({ length: 12 }, () => drawCut({ crop, flip: true }, s, random));
  const images = tf.tidy(() =>
    tf.tile(tf.tensor4d([...image], [1, s, s, 3]), [cuts.length, 1, 1, 1])
  );
  const device = cutByMatrices(images, cuts, side);
  const expected = await device.data();
  const found = new Float32Array(cuts.length * side * side * 3);
  cuts.forEach((cut, i) => cutAndResizeHere(image, s, cut, side, found, i * side * side * 3));
  found.forEach((value, i) => assertAlmostEquals(value, expected[i], 1e-3));
  tf.dispose([images, device]);
});
