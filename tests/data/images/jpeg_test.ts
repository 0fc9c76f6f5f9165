import { assert, assertEquals, assertThrows } from "@std/assert";
import { decodeImage } from "../../../lib/data/images/decode_image.ts";
import { readJpegHeader } from "../../../lib/data/images/jpeg.ts";
import { LetheError } from "../../../lib/error.ts";

const read = (name: string) => Deno.readFile(new URL(`./${name}`, import.meta.url));
const COLOURS = [[200, 40, 40], [40, 180, 60], [30, 50, 200], [230, 220, 90]];

/** Colours at the middle of the four quarters: upper left, upper right, lower left, lower right. */
function quarters(bytes: Uint8Array): number[][] {
  const { width, height, rgb } = decodeImage(bytes, "a.jpg");
  assertEquals(rgb.length, 3 * width * height);
  return [[1, 1], [3, 1], [1, 3], [3, 3]].map(([x, y]) => {
    const at = 3 * (Math.floor(y * height / 4) * width + Math.floor(x * width / 4));
    return [...rgb.subarray(at, at + 3)];
  });
}

function assertNear(actual: number[][], expected: number[][], message: string): void {
  const far = actual.flat().map((value, i) => Math.abs(value - expected.flat()[i]));
  assert(Math.max(...far) <= 3, `${message}: ${JSON.stringify(actual)}`);
}

/** Puts an EXIF segment with this orientation behind the first marker. */
function withOrientation(jpeg: Uint8Array, value: number, littleEndian: boolean): Uint8Array {
  const tiff = new Uint8Array(26);
  const view = new DataView(tiff.buffer);
  view.setUint16(0, littleEndian ? 0x4949 : 0x4d4d);
  view.setUint16(2, 42, littleEndian);
  view.setUint32(4, 8, littleEndian);
  view.setUint16(8, 1, littleEndian);
  view.setUint16(10, 0x0112, littleEndian);
  view.setUint16(12, 3, littleEndian);
  view.setUint32(14, 1, littleEndian);
  view.setUint16(18, value, littleEndian);
  const segment = [0xff, 0xe1, 0, 8 + tiff.length, 0x45, 0x78, 0x69, 0x66, 0, 0, ...tiff];
  return Uint8Array.from([...jpeg.subarray(0, 2), ...segment, ...jpeg.subarray(2)]);
}

Deno.test("decodeJpeg reads baseline, progressive, RGB, CMYK and YCCK files alike", async () => {
  for (const name of ["baseline", "progressive", "rgb", "cmyk", "ycck"]) {
    assertNear(quarters(await read(`${name}.jpg`)), COLOURS, name);
  }
});

Deno.test("decodeJpeg spreads grey over three channels", async () => {
  const [red, , , yellow] = quarters(await read("grey.jpg"));
  assertEquals([red[0], red[0]], [red[1], red[2]]);
  assert(Math.abs(red[0] - 74) <= 2 && Math.abs(yellow[0] - 213) <= 2, `${red} ${yellow}`);
});

Deno.test("decodeJpeg turns all eight EXIF orientations upright", async () => {
  const [red, green, blue, yellow] = COLOURS;
  const seen: Record<number, number[][]> = {
    1: [red, green, blue, yellow],
    2: [green, red, yellow, blue],
    3: [yellow, blue, green, red],
    4: [blue, yellow, red, green],
    5: [red, blue, green, yellow],
    6: [blue, red, yellow, green],
    7: [yellow, green, blue, red],
    8: [green, yellow, red, blue],
    9: [red, green, blue, yellow], // no such orientation
  };
  const baseline = await read("baseline.jpg");
  for (const [orientation, expected] of Object.entries(seen)) {
    for (const littleEndian of [true, false]) {
      const file = withOrientation(baseline, Number(orientation), littleEndian);
      const { width, height } = decodeImage(file, "a.jpg");
      const swapped = Number(orientation) >= 5 && Number(orientation) <= 8;
      assertEquals([width, height], swapped ? [24, 32] : [32, 24]);
      assertNear(quarters(file), expected, `orientation ${orientation}`);
    }
  }
});

Deno.test("decodeJpeg refuses truncation at every byte, and decodes well right after", async () => {
  for (const name of ["baseline.jpg", "progressive.jpg"]) {
    const whole = await read(name);
    for (let length = 2; length < whole.length; length += 3) {
      assertThrows(
        () => decodeImage(whole.subarray(0, length), "a.jpg"),
        LetheError,
        "a.jpg is a truncated or damaged JPEG",
      );
    }
    assertNear(quarters(whole), COLOURS, name);
  }
});

Deno.test("decodeJpeg survives damaged files, codec panics among them", async () => {
  const whole = await read("progressive.jpg");
  let panics = 0;
  for (let at = 2; at < whole.length; at++) {
    const broken = whole.slice();
    broken[at] = 255 - broken[at];
    try {
      const { width, height, rgb } = decodeImage(broken, "a.jpg");
      assertEquals(rgb.length, 3 * width * height);
    } catch (error) {
      if (!(error instanceof LetheError)) throw error;
      if (error.cause instanceof WebAssembly.RuntimeError) panics++;
    }
  }
  assert(panics > 0, "no byte made the codec panic, so this test shows nothing about it");
  assertNear(quarters(whole), COLOURS, "after the panics");
});

Deno.test("readJpegHeader refuses by name the kinds that are not decoded", async () => {
  const arithmetic = await read("arithmetic.jpg");
  assertThrows(() => decodeImage(arithmetic, "a.jpg"), LetheError, "a JPEG with arithmetic coding");
  const deep = await read("baseline.jpg");
  const frame = deep.findIndex((byte, at) => byte === 0xff && deep[at + 1] === 0xc0);
  deep[frame + 4] = 12;
  assertThrows(() => readJpegHeader(deep, "a.jpg"), LetheError, "12 bits per sample");
  deep[frame + 4] = 8;
  deep[frame + 1] = 0xc3;
  assertThrows(() => readJpegHeader(deep, "a.jpg"), LetheError, "lossless");
});
