import { assert, assertEquals, assertThrows } from "@std/assert";
import { decodeImage } from "../../../lib/data/images/decode_image.ts";
import { type JpegOptions, readJpegHeader } from "../../../lib/data/images/jpeg.ts";
import { jpegSegments } from "../../../lib/data/images/jpeg_segments.ts";
import { LetheError } from "../../../lib/error.ts";

const read = (name: string) => Deno.readFile(new URL(`./${name}`, import.meta.url));
const COLOURS = [[200, 40, 40], [40, 180, 60], [30, 50, 200], [230, 220, 90]];

/** Colours at the middle of the four quarters: upper left, upper right, lower left, lower right. */
function quarters(bytes: Uint8Array, options: JpegOptions = {}): number[][] {
  const { width, height, rgb } = decodeImage(bytes, "a.jpg", options);
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

const ascii = (text: string) => [...text].map((letter) => letter.charCodeAt(0));

function inserted(bytes: Uint8Array, at: number, more: ArrayLike<number>): Uint8Array {
  return Uint8Array.from([...bytes.subarray(0, at), ...Array.from(more), ...bytes.subarray(at)]);
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

Deno.test("decodeJpeg refuses a file that was cut anywhere and closed again", async () => {
  for (const name of ["baseline.jpg", "progressive.jpg"]) {
    const whole = await read(name);
    const pixels = whole.length - 2;
    for (const firstFormat of [false, true]) {
      for (let length = 2; length < pixels; length += firstFormat ? 7 : 1) {
        const closed = Uint8Array.from([...whole.subarray(0, length), 0xff, 0xd9]);
        assertThrows(
          () => decodeImage(closed, "a.jpg", { firstFormat }),
          LetheError,
          "a.jpg is a truncated or damaged JPEG",
          `${name}, ${length} bytes`,
        );
      }
    }
  }
});

Deno.test("decodeJpeg refuses a progressive file that was cut between two scans", async () => {
  const whole = await read("progressive.jpg");
  const scans = [...jpegSegments(whole)].filter(({ marker }) => marker === 0xda);
  assert(scans.length > 4);
  for (const { start } of scans) {
    const closed = Uint8Array.from([...whole.subarray(0, start), 0xff, 0xd9]);
    assertThrows(() => decodeImage(closed, "a.jpg"), LetheError, "truncated or damaged");
  }
});

Deno.test("decodeJpeg survives damaged files, of which some stop a codec half-way", async () => {
  const whole = await read("progressive.jpg");
  for (const firstFormat of [false, true]) {
    let refused = 0;
    for (let at = 2; at < whole.length; at++) {
      const broken = whole.slice();
      broken[at] = 255 - broken[at];
      try {
        const { width, height, rgb } = decodeImage(broken, "a.jpg", { firstFormat });
        assertEquals(rgb.length, 3 * width * height);
      } catch (error) {
        if (!(error instanceof LetheError)) throw error;
        refused++;
        // The next one decodes as if nothing had been.
        if (refused % 50 === 1) {
          assertNear(quarters(whole, { firstFormat }), COLOURS, "after damage");
        }
      }
    }
    assert(refused > 100, `${refused} of ${whole.length}`);
  }
});

Deno.test("decodeJpeg reads the first input format's files alike, within rounding", async () => {
  for (const name of ["baseline", "progressive", "rgb", "cmyk", "ycck", "grey"]) {
    const bytes = await read(`${name}.jpg`);
    const [now, first] = [false, true].map((firstFormat) => quarters(bytes, { firstFormat }));
    assertNear(now, first, name);
  }
});

Deno.test("decodeJpeg shrinks by halves as far as no side falls below the least", async () => {
  const bytes = await read("baseline.jpg"); // 32 x 24
  for (
    const [least, width, height] of [[25, 32, 24], [24, 32, 24], [12, 16, 12], [11, 16, 12], [
      6,
      8,
      6,
    ], [
      3,
      4,
      3,
    ]]
  ) {
    const image = decodeImage(bytes, "a.jpg", { least });
    assertEquals([image.width, image.height], [width, height], `at least ${least}`);
  }
  assertNear(quarters(bytes, { least: 6 }), COLOURS, "a quarter");
});

Deno.test("decodeJpeg believes JFIF before Adobe, and components that are called R, G and B", async () => {
  const baseline = await read("baseline.jpg"); // with JFIF
  const adobe = [0xff, 0xee, 0, 14, ...ascii("Adobe"), 0, 100, 0, 0, 0, 0, 0];
  const both = inserted(baseline, 20, adobe);
  const rgb = await read("rgb.jpg"); // with an Adobe marker that says so
  const named = rgb.slice();
  const marker = named.findIndex((byte, at) => byte === 0xff && named[at + 1] === 0xee);
  assert(marker > 0);
  const withoutAdobe = Uint8Array.from([...rgb.subarray(0, marker), ...rgb.subarray(marker + 16)]);
  for (const firstFormat of [false, true]) {
    assertNear(quarters(both, { firstFormat }), COLOURS, "JFIF and Adobe");
    assertNear(quarters(withoutAdobe, { firstFormat }), COLOURS, "R, G, B");
  }
});

Deno.test("decodeJpeg reads ink without an Adobe marker", async () => {
  const cmyk = await read("cmyk.jpg");
  const marker = cmyk.findIndex((byte, at) => byte === 0xff && cmyk[at + 1] === 0xee);
  const bare = Uint8Array.from([...cmyk.subarray(0, marker), ...cmyk.subarray(marker + 16)]);
  for (const firstFormat of [false, true]) {
    assertNear(quarters(bare, { firstFormat }), COLOURS, "ink");
  }
});

Deno.test("decodeJpeg passes over junk between segments, odd markers and what follows the end", async () => {
  const whole = await read("baseline.jpg");
  const junk = inserted(whole, 20, [0, 1, 2, 3]);
  const xform = inserted(whole, 20, [0xff, 0xee, 0, 14, ...ascii("Adobe"), 0, 100, 0, 0, 0, 0, 9]);
  const trailer = Uint8Array.from([...whole, ...ascii("MotionPhoto"), 0xff, 0xd8, 0xff]);
  for (const bytes of [junk, xform, trailer]) assertNear(quarters(bytes), COLOURS, "as before");
});

Deno.test("readJpegHeader finds the orientation in a number of any width, behind the frame, or in XMP", async () => {
  const baseline = await read("baseline.jpg");
  const turned = (bytes: Uint8Array) => decodeImage(bytes, "a.jpg").width === 24;
  for (const [type, at] of [[1, 0], [3, 1], [4, 3]]) {
    const file = withOrientation(baseline, 6, false);
    const entry = file.findIndex((_, i) => file[i] === 1 && file[i + 1] === 0x12);
    file[entry + 3] = type;
    file.fill(0, entry + 8, entry + 12);
    file[entry + 8 + at] = 6;
    assert(turned(file), `type ${type}`);
  }
  const segment = withOrientation(baseline, 6, true).subarray(2, 2 + 36);
  const scan = baseline.findIndex((byte, at) => byte === 0xff && baseline[at + 1] === 0xda);
  assert(turned(inserted(baseline, scan, segment)), "behind the frame");
  const text = 'http://ns.adobe.com/xap/1.0/\0<rdf:Description tiff:Orientation="6"/>';
  const xmp = [0xff, 0xe1, 0, text.length + 2, ...ascii(text)];
  assert(turned(inserted(baseline, 2, xmp)), "XMP");
  assert(!turned(inserted(withOrientation(baseline, 1, true), 2, xmp)), "EXIF comes before XMP");
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
