import { assert, assertEquals } from "@std/assert";
import { resizeBilinear, resizeFloat } from "../../../lib/data/images/resize.ts";
import { Random } from "../../../lib/random.ts";

Deno.test("resizeFloat halves, keeps and doubles a row as worked out by hand", () => {
  const row = { width: 4, height: 1, channels: 1 };
  const to = (width: number) => [...resizeFloat([0, 8, 16, 40], row, { width, height: 1 })];
  assertEquals(to(2), [4, 28]);
  assertEquals(to(4), [0, 8, 16, 40]);
  assertEquals(to(8), [0, 2, 6, 10, 14, 22, 34, 40]);
  assertEquals(to(1), [12]);
});

Deno.test("resizeFloat takes both axes from where they lie, channel by channel", () => {
  // f = 2x + 100y is linear, so inside the outermost centres the result must lie on it too.
  const width = 7, height = 5;
  const pixels = Array.from({ length: width * height }, (_, i) => {
    const value = 2 * (i % width) + 100 * Math.floor(i / width);
    return [value, -value];
  }).flat();
  const to = { width: 4, height: 3 };
  const result = resizeFloat(pixels, { width, height, channels: 2 }, to);
  for (let y = 0; y < 3; y++) {
    for (let x = 0; x < 4; x++) {
      const expected = 2 * ((x + 0.5) * 7 / 4 - 0.5) + 100 * ((y + 0.5) * 5 / 3 - 0.5);
      const at = 2 * (4 * y + x);
      assert(Math.abs(result[at] - expected) < 1e-4, `${x} ${y}: ${result[at]} ${expected}`);
      assertEquals(result[at + 1], -result[at]);
    }
  }
});

Deno.test("resizeBilinear rounds resizeFloat and leaves an image of the right size alone", () => {
  const random = new Random(0, "resize");
  const width = 13, height = 10;
  const rgb = Uint8Array.from({ length: 3 * width * height }, () => random.integer(256));
  const image = { width, height, rgb };
  const exact = resizeFloat(rgb, { width, height, channels: 3 }, { width: 9, height: 9 });
  const bytes = resizeBilinear(image, 9);
  assertEquals(bytes.length, 3 * 81);
  bytes.forEach((byte, i) => assert(Math.abs(byte - exact[i]) <= 0.5));
  const square = { width: 3, height: 3, rgb: rgb.slice(0, 27) };
  assertEquals(resizeBilinear(square, 3), square.rgb);
});
