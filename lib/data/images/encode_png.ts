import codec from "imagescript/png";

/** The part of imagescript's codec that is used; the package has no types for it. */
const png: {
  encode(
    data: Uint8Array,
    format: { width: number; height: number; channels: 3; level: number },
  ): Uint8Array;
} = codec;

/**
 * Encodes RGB as PNG, to the same bytes on every platform (zlib libraries differ from one processor
 * to the next; this one is plain JavaScript).
 *
 * @param image `rgb` is [height, width, 3]
 */
export function encodePng(image: { width: number; height: number; rgb: Uint8Array }): Uint8Array {
  const { width, height, rgb } = image;
  return png.encode(rgb, { width, height, channels: 3, level: 6 });
}
