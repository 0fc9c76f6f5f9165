import { assertEquals, assertThrows } from "@std/assert";
import { decodeImage, MAX_IMAGE_BYTES } from "../../../lib/data/images/decode_image.ts";
import { LetheError } from "../../../lib/error.ts";
import { buildPng, joinPng, pngChunk, pngHeader } from "../build_png.ts";

const text = (content: string) => new TextEncoder().encode(content);
const grey = (width: number, height: number) =>
  buildPng({
    width,
    height,
    depth: 8,
    colourType: 0,
    samples: Array.from({ length: width * height }, (_, i) => i % 256),
  });

function refusal(bytes: Uint8Array): string {
  return assertThrows(() => decodeImage(bytes, "requests/ann.jpg"), LetheError).message;
}

Deno.test("decodeImage says what a file is that it does not read", () => {
  for (
    const [content, expected] of [
      ["", "requests/ann.jpg is empty"],
      ["just some text", "requests/ann.jpg is not an image"],
      ["GIF89a......", "requests/ann.jpg is a GIF"],
      ["RIFF1234WEBPVP8 ", "requests/ann.jpg is a truncated or damaged WebP"],
      ["\0\0\0\x18ftypheic", "requests/ann.jpg is a HEIC image"],
      ["\0\0\0\x18ftypavif", "requests/ann.jpg is an AVIF image"],
    ]
  ) assertEquals(refusal(text(content)).split(";")[0], expected);
});

Deno.test("decodeImage names the line that converts what it does not read", () => {
  const heic = assertThrows(() => decodeImage(text("\0\0\0\x18ftypheic"), "a b.heic"), LetheError);
  assertEquals(heic.remedy.includes("heif-convert 'a b.heic' 'a b.jpg'"), true, heic.remedy);
  const gif = assertThrows(() => decodeImage(text("GIF89a......"), "a.gif"), LetheError);
  assertEquals(gif.remedy, "convert it: magick a.gif a.png");
});

Deno.test("decodeImage goes by the first bytes, not by the name", () => {
  assertEquals(decodeImage(grey(8, 9), "a.jpg").height, 9);
});

Deno.test("decodeImage refuses images below eight pixels a side", () => {
  for (const [width, height] of [[1, 1], [7, 8], [8, 7]]) {
    assertEquals(
      refusal(grey(width, height)),
      `requests/ann.jpg is ${width} x ${height} pixels; an image has at least 8 a side: ` +
        "use a larger picture or remove it",
    );
  }
  assertEquals(decodeImage(grey(8, 8), "a.png").width, 8);
});

Deno.test("decodeImage refuses huge images by their header, before it decodes anything", () => {
  const header = pngHeader({ width: 2 ** 31 - 1, height: 2 ** 31 - 1, depth: 16, colourType: 6 });
  const png = joinPng(header, pngChunk("IDAT", [1]), pngChunk("IEND", []));
  assertEquals(refusal(png).includes("at most 64 million are decoded"), true);

  const frame = [0xff, 0xc0, 0, 17, 8, 0xff, 0xff, 0xff, 0xff, 3, 1, 17, 0, 2, 17, 0, 3, 17, 0];
  const jpeg = Uint8Array.from([0xff, 0xd8, ...frame]);
  assertEquals(refusal(jpeg).includes("is 65535 x 65535 pixels; at most 64 million"), true);

  const long = new Uint8Array(MAX_IMAGE_BYTES + 1);
  assertEquals(refusal(long).includes("an image file has at most"), true);
});

Deno.test("decodeImage turns a PNG with an eXIf chunk upright", () => {
  const samples = Array.from({ length: 8 * 9 }, (_, i) => i);
  const orientation = [0x4d, 0x4d, 0, 42, 0, 0, 0, 8, 0, 1, 1, 0x12, 0, 3, 0, 0, 0, 1, 0, 8, 0, 0];
  const png = buildPng({
    width: 8,
    height: 9,
    depth: 8,
    colourType: 0,
    samples,
    extra: [["eXIf", orientation]],
  });
  const { width, height, rgb } = decodeImage(png, "a.png");
  assertEquals([width, height], [9, 8]);
  // Orientation 8: the last column becomes the first row.
  assertEquals([rgb[0], rgb[3], rgb[3 * 8]], [7, 15, 71]);
});
