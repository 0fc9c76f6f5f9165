import svgModule from "imagescript/svg" with { type: "bytes" };
import type { Image } from "../images/decode_image.ts";

/** The part of the rasteriser's interface that is used: the Rust crate resvg behind plain pointers. */
interface Rasterizer {
  readonly memory: WebAssembly.Memory;
  walloc(size: number): number;
  /** Takes ownership of the input; `fit` 2 scales to the width given. 0 and 1 mean failure. */
  rasterize(pointer: number, size: number, fit: number, width: number): number;
  rasterize_width(image: number): number;
  rasterize_height(image: number): number;
  /** RGBA; `wlen` then gives its length. */
  rasterize_buffer(image: number): number;
  wlen(): number;
  rasterize_free(image: number): void;
}

let rasterizer: Rasterizer | undefined;

/**
 * Rasterises a square SVG that covers its whole area with opaque colours. For SVG made by this
 * program, not for foreign files.
 *
 * @param svg the document
 * @param side pixels a side
 * @throws {Error} when the document is not square SVG
 */
export function rasterizeSvg(svg: string, side: number): Image {
  rasterizer ??= new WebAssembly.Instance(new WebAssembly.Module(svgModule))
    .exports as unknown as Rasterizer;
  const { memory, walloc, rasterize, rasterize_free, wlen, ...image } = rasterizer;
  const bytes = new TextEncoder().encode(svg);
  const input = walloc(bytes.length);
  new Uint8Array(memory.buffer, input, bytes.length).set(bytes);
  const pointer = rasterize(input, bytes.length, 2, side);
  if (pointer === 0 || pointer === 1) throw new Error("the SVG cannot be rasterised");
  const [width, height] = [image.rasterize_width(pointer), image.rasterize_height(pointer)];
  if (width !== side || height !== side) throw new Error(`the SVG is ${width} x ${height}`);
  const start = image.rasterize_buffer(pointer);
  const rgba = new Uint8Array(memory.buffer, start, wlen());
  const rgb = new Uint8Array(3 * side * side);
  for (let pixel = 0; pixel < side * side; pixel++) {
    for (let channel = 0; channel < 3; channel++) {
      rgb[3 * pixel + channel] = rgba[4 * pixel + channel];
    }
  }
  rasterize_free(pointer);
  return { width, height, rgb };
}
