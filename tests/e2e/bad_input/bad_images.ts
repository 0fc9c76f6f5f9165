import { join } from "@std/path";
import { buildPng, joinPng, pngChunk, pngHeader } from "../../data/build_png.ts";
import { IMAGES } from "./bad_labels.ts";
import type { Bad } from "./refuses.ts";
import { remove, write } from "./spoil.ts";

const noise = Array.from({ length: 12 * 12 * 3 }, (_, i) => i * i % 251);
const png = { width: 12, height: 12, depth: 8, colourType: 2, samples: noise };
const huge = { width: 100_000, height: 100_000, depth: 8, colourType: 2 };
const jpeg = await Deno.readFile(new URL("../../data/images/baseline.jpg", import.meta.url));
const arithmetic = await Deno.readFile(
  new URL("../../data/images/arithmetic.jpg", import.meta.url),
);
const image = (bytes: Uint8Array | string) => write("requests/9.png", bytes);

/** What one of the requests, 9.png, may turn out to be. */
export const BAD_IMAGES: readonly Bad[] = [
  ["a truncated PNG", "@requests/9.png", image(buildPng(png).subarray(0, -40))],
  ["a truncated JPEG", "@requests/9.png", image(jpeg.subarray(0, -40))],
  ["an empty image", "@requests/9.png is empty", image("")],
  ["no image", "@requests/9.png is not an image", image("hello")],
  ["a GIF", "@requests/9.png is a GIF", image("GIF89a..")],
  ["a JPEG of another kind", "@requests/9.png", image(arithmetic)],
  [
    "one pixel",
    "@requests/9.png is 1 x 1 pixels",
    image(buildPng({
      ...png,
      width: 1,
      height: 1,
      samples: [1, 2, 3],
    })),
  ],
  [
    "too many pixels",
    "@requests/9.png is 100000 x 100000 pixels",
    image(
      joinPng(pngHeader(huge), pngChunk("IDAT", [1]), pngChunk("IEND", [])),
    ),
  ],
  ["a symbolic link", "@requests/9.png is a symbolic link", async (folder) => {
    await remove("requests/9.png")(folder);
    await Deno.symlink(join(folder, IMAGES, "000001.png"), join(folder, "requests/9.png"));
  }],
];
