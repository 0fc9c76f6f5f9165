import { assertEquals, assertThrows } from "@std/assert";
import { deflateSync } from "node:zlib";
import { decodeImage } from "../../../lib/data/images/decode_image.ts";
import { decodePng, readPng } from "../../../lib/data/images/png.ts";
import { LetheError } from "../../../lib/error.ts";
import { Random } from "../../../lib/random.ts";
import { buildPng, joinPng, pngChunk, pngHeader } from "../build_png.ts";

const width = 11, height = 9;
const channelsOf = [1, 0, 3, 1, 2, 0, 4];

function randomSamples(depth: number, colourType: number): number[] {
  const random = new Random(depth, `png ${colourType}`);
  const count = width * height * channelsOf[colourType];
  return Array.from({ length: count }, () => random.integer(2 ** depth));
}

const grey = (samples: number[]) => Uint8Array.from(samples.flatMap((v) => [v, v, v]));

Deno.test("decodePng reads every depth of grey and RGB, plain and interlaced", () => {
  for (const [colourType, depths] of [[0, [1, 2, 4, 8, 16]], [2, [8, 16]]] as const) {
    for (const depth of depths) {
      for (const interlaced of [false, true]) {
        const samples = randomSamples(depth, colourType);
        const image = decodeImage(
          buildPng({ width, height, depth, colourType, samples, interlaced }),
          "a.png",
        );
        const scaled = samples.map((value) => Math.round(value * 255 / (2 ** depth - 1)));
        const expected = colourType === 0 ? grey(scaled) : Uint8Array.from(scaled);
        assertEquals(image, { width, height, rgb: expected }, `${colourType} ${depth}`);
      }
    }
  }
});

Deno.test("decodePng looks palettes up, alpha per entry included", () => {
  const palette = Array.from({ length: 4 }, (_, entry) => [10 * entry, 200, 255 - entry]);
  for (const depth of [2, 4, 8]) {
    const samples = randomSamples(2, 3);
    const png = buildPng({
      width,
      height,
      depth,
      colourType: 3,
      samples,
      extra: [["PLTE", palette.flat()], ["tRNS", [255, 0, 51]]],
    });
    const over = [palette[0], [255, 255, 255], [
      Math.round(255 - 0.2 * (255 - 20)),
      Math.round(255 - 0.2 * 55),
      Math.round(255 - 0.2 * 2),
    ], palette[3]];
    assertEquals(
      decodeImage(png, "a.png").rgb,
      Uint8Array.from(samples.flatMap((entry) => over[entry])),
    );
  }
});

Deno.test("decodePng lays alpha over white", () => {
  for (const colourType of [4, 6]) {
    for (const depth of [8, 16]) {
      const samples = randomSamples(depth, colourType);
      const channels = channelsOf[colourType];
      const most = 2 ** depth - 1;
      const expected = Array.from({ length: width * height }, (_, pixel) => {
        const own = samples.slice(pixel * channels, (pixel + 1) * channels).map((v) => v / most);
        const alpha = own[channels - 1];
        return [0, 1, 2].map((c) =>
          Math.round(255 * (own[channels === 2 ? 0 : c] * alpha + 1 - alpha))
        );
      });
      const png = buildPng({ width, height, depth, colourType, samples });
      assertEquals(decodeImage(png, "a.png").rgb, Uint8Array.from(expected.flat()));
    }
  }
});

Deno.test("decodePng makes the one transparent colour white", () => {
  const samples = Array.from({ length: width * height }, (_, i) => i % 3 ? [1, 2, 3] : [1, 2, 4]);
  const png = buildPng({
    width,
    height,
    depth: 8,
    colourType: 2,
    samples: samples.flat(),
    extra: [["tRNS", [0, 1, 0, 2, 0, 4]]],
  });
  const expected = samples.flatMap((colour) => colour[2] === 4 ? [255, 255, 255] : colour);
  assertEquals(decodeImage(png, "a.png").rgb, Uint8Array.from(expected));
});

Deno.test("decodePng reads what ImageMagick wrote", async () => {
  const read = async (name: string) => {
    const bytes = await Deno.readFile(new URL(`./${name}`, import.meta.url));
    const { width, rgb } = decodeImage(bytes, name);
    return [[4, 4], [28, 4], [4, 20], [28, 20]].map(([x, y]) => [
      ...rgb.subarray(3 * (y * width + x), 3 * (y * width + x) + 3),
    ]);
  };
  const colours = [[200, 40, 40], [40, 180, 60], [30, 50, 200], [230, 220, 90]];
  assertEquals(await read("interlaced_palette.png"), colours);
  const half = 0x8000 / 0xffff;
  assertEquals(
    await read("alpha_16_bit.png"),
    colours.map((colour) => colour.map((v) => Math.round(255 - half * (255 - v)))),
  );
});

Deno.test("decodePng refuses truncation at every byte and a changed byte anywhere", () => {
  const plan = { width, height, depth: 8, colourType: 2, samples: randomSamples(8, 2) };
  const png = buildPng(plan);
  decodeImage(png, "a.png");
  for (let length = 1; length < png.length; length++) {
    assertThrows(() => decodeImage(png.subarray(0, length), "a.png"), LetheError, "a.png");
  }
  for (let at = 8; at < png.length; at++) {
    const broken = png.slice();
    broken[at] ^= 0x41;
    assertThrows(() => decodeImage(broken, "a.png"), LetheError, "a.png is");
  }
});

Deno.test("decodePng passes over a surplus behind the last row, within a bound", () => {
  const plan = { width, height, depth: 8, colourType: 2 };
  const row = [0, ...new Array(3 * width).fill(7)];
  const file = (surplus: number) => {
    const pixels = Uint8Array.from(
      { length: height * row.length + surplus },
      (_, i) => row[i % row.length],
    );
    const data = pngChunk("IDAT", deflateSync(pixels));
    return readPng(joinPng(pngHeader(plan), data, pngChunk("IEND", [])), "a.png");
  };
  const whole = decodePng(file(0), "a.png");
  for (const surplus of [1, row.length, height * row.length]) {
    assertEquals(decodePng(file(surplus), "a.png"), whole);
  }
  for (const surplus of [-1, -row.length, 100_000 * row.length]) {
    assertThrows(() => decodePng(file(surplus), "a.png"), LetheError, "truncated or damaged PNG");
  }
});

Deno.test("readPng refuses headers that PNG does not know, and a palette image without palette", () => {
  const plan = { width, height, depth: 8, colourType: 3, samples: randomSamples(2, 3) };
  assertThrows(() => readPng(buildPng(plan), "a.png"), LetheError, "damaged PNG");
  for (const [depth, colourType] of [[3, 0], [4, 2], [16, 3], [8, 5], [8, 7]]) {
    const png = joinPng(pngHeader({ width, height, depth, colourType }), pngChunk("IEND", []));
    assertThrows(() => readPng(png, "a.png"), LetheError, "damaged PNG");
  }
  const short = [["PLTE", [1, 2, 3]]] as const;
  const past = buildPng({ ...plan, extra: short.map(([type, data]) => [type, [...data]]) });
  assertThrows(() => decodeImage(past, "a.png"), LetheError, "damaged PNG");
  const unknownFilter = deflateSync(new Uint8Array(height * (3 * width + 1)).fill(9));
  const header = pngHeader({ width, height, depth: 8, colourType: 2 });
  const filtered = joinPng(header, pngChunk("IDAT", unknownFilter), pngChunk("IEND", []));
  assertThrows(() => decodeImage(filtered, "a.png"), LetheError, "damaged PNG");
});
