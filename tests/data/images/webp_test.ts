import { assert, assertEquals, assertThrows } from "@std/assert";
import { decodeImage } from "../../../lib/data/images/decode_image.ts";
import { LetheError } from "../../../lib/error.ts";

const read = (name: string) => Deno.readFile(new URL(`./${name}`, import.meta.url));
const COLOURS = [[200, 40, 40], [40, 180, 60], [30, 50, 200], [230, 220, 90]];

function quarters(bytes: Uint8Array): number[][] {
  const { width, height, rgb } = decodeImage(bytes, "a.webp");
  return [[1, 1], [3, 1], [1, 3], [3, 3]].map(([x, y]) => {
    const at = 3 * (Math.floor(y * height / 4) * width + Math.floor(x * width / 4));
    return [...rgb.subarray(at, at + 3)];
  });
}

Deno.test("decodeWebp reads a lossy file", async () => {
  const found = quarters(await read("lossy.webp")).flat();
  const far = found.map((value, i) => Math.abs(value - COLOURS.flat()[i]));
  assert(Math.max(...far) <= 6, found.join());
});

Deno.test("decodeWebp lays a transparent file over white and turns it upright", async () => {
  const [red, green, blue, yellow] = COLOURS.map((colour) =>
    colour.map((value) => Math.round(255 + (value - 255) * 128 / 255))
  );
  assertEquals(quarters(await read("lossless_alpha.webp")), [blue, red, yellow, green]);
});

Deno.test("readWebpHeader refuses an animation by name", async () => {
  const moving = await read("animated.webp");
  assertThrows(() => decodeImage(moving, "a.webp"), LetheError, "a.webp is an animated WebP");
});

Deno.test("decodeWebp refuses truncation at every byte, and decodes well right after", async () => {
  for (const name of ["lossy.webp", "lossless_alpha.webp"]) {
    const whole = await read(name);
    const before = quarters(whole);
    for (let length = 12; length < whole.length; length++) {
      const cut = whole.slice(0, length);
      assertThrows(() => decodeImage(cut, "a.webp"), LetheError, "truncated or damaged WebP");
      // Also where the header admits to what is left.
      new DataView(cut.buffer).setUint32(4, length - 8, true);
      try {
        decodeImage(cut, "a.webp");
        assert(name === "lossless_alpha.webp", "only the EXIF chunk can be missed");
      } catch (error) {
        if (!(error instanceof LetheError)) throw error;
      }
    }
    assertEquals(quarters(whole), before);
  }
});

Deno.test("decodeWebp survives damaged files", async () => {
  for (const name of ["lossy.webp", "lossless_alpha.webp"]) {
    const whole = await read(name);
    for (let at = 12; at < whole.length; at++) {
      const broken = whole.slice();
      broken[at] = 255 - broken[at];
      try {
        const { width, height, rgb } = decodeImage(broken, "a.webp");
        assertEquals(rgb.length, 3 * width * height);
      } catch (error) {
        if (!(error instanceof LetheError)) throw error;
      }
    }
    quarters(whole);
  }
});
