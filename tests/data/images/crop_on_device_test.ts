import { assert, assertAlmostEquals, assertEquals } from "@std/assert";
import * as tf from "@tensorflow/tfjs";
import { cutAndResize } from "../../../lib/data/images/crop_on_device.ts";
import { cutAndResizeHere, drawCut } from "../../../lib/data/images/random_crop.ts";
import { Random } from "../../../lib/random.ts";
import { onEachDevice } from "../../tensor/on_each_device.ts";

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

onEachDevice("cutAndResize takes a cut at its own size as it is", async () => {
  const pixels = Float32Array.from({ length: 2 * 6 * 6 * 3 }, (_, i) => (i * 37) % 256);
  const images = tf.tensor4d(pixels, [2, 6, 6, 3]);
  const cut = { top: 1, left: 2, height: 4, width: 4 };
  const out = cutAndResize(images, [
    { ...cut, mirrored: false },
    { ...cut, mirrored: true },
  ], 4);
  const values = await out.data();
  const at = (i: number, y: number, x: number, c: number) => pixels[((i * 6 + y) * 6 + x) * 3 + c];
  for (let y = 0; y < 4; y++) {
    for (let x = 0; x < 4; x++) {
      for (let c = 0; c < 3; c++) {
        const k = (y * 4 + x) * 3 + c;
        assertAlmostEquals(values[k], at(0, y + 1, x + 2, c), 1e-3);
        assertAlmostEquals(values[48 + k], at(1, y + 1, 5 - x, c), 1e-3);
      }
    }
  }
  tf.dispose([images, out]);
});

onEachDevice("cutAndResize halves an image by averaging, with half-pixel centres", async () => {
  const images = tf.tensor4d([0, 10, 20, 30].flatMap((v) => [v, v, v]), [1, 2, 2, 3]);
  const whole = { top: 0, left: 0, height: 2, width: 2, mirrored: false };
  const out = cutAndResize(images, [whole], 1);
  const values = await out.data();
  assertAlmostEquals(values[0], 15, 1e-4);
  tf.dispose([images, out]);
});

onEachDevice("cutAndResizeHere gives what cutAndResize gives on the device", async () => {
  const [s, side] = [13, 8];
  const random = new Random(2, "pixels");
  const image = Uint8Array.from({ length: s * s * 3 }, () => random.integer(256));
  const cuts = Array.from({ length: 12 }, () => drawCut({ crop, flip: true }, s, random));
  const images = tf.tidy(() =>
    tf.tile(tf.tensor4d([...image], [1, s, s, 3]), [cuts.length, 1, 1, 1])
  );
  const device = cutAndResize(images, cuts, side);
  const expected = await device.data();
  const found = new Float32Array(cuts.length * side * side * 3);
  cuts.forEach((cut, i) => cutAndResizeHere(image, s, cut, side, found, i * side * side * 3));
  found.forEach((value, i) => assertAlmostEquals(value, expected[i], 1e-3));
  tf.dispose([images, device]);
});
