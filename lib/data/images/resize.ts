import type { Image } from "./decode_image.ts";

/**
 * Resizes by bilinear interpolation with half-pixel centres and no antialiasing, edges repeated:
 * what torchvision's `Resize(antialias=False)` and `torch.nn.functional.interpolate` compute.
 *
 * @param pixels [height, width, channels], row after row, of any numeric type
 * @param from its size
 * @param to the size wanted
 * @returns [to.height, to.width, channels], not rounded
 */
export function resizeFloat(
  pixels: ArrayLike<number>,
  from: { width: number; height: number; channels: number },
  to: { width: number; height: number },
): Float32Array {
  const { channels } = from;
  const columns = taps(from.width, to.width);
  const rows = taps(from.height, to.height);
  const result = new Float32Array(to.height * to.width * channels);
  let at = 0;
  for (const row of rows) {
    const top = row.first * from.width;
    const bottom = row.second * from.width;
    for (const column of columns) {
      for (let channel = 0; channel < channels; channel++) {
        const a = pixels[(top + column.first) * channels + channel];
        const b = pixels[(top + column.second) * channels + channel];
        const c = pixels[(bottom + column.first) * channels + channel];
        const d = pixels[(bottom + column.second) * channels + channel];
        const upper = a + (b - a) * column.share;
        const lower = c + (d - c) * column.share;
        result[at++] = upper + (lower - upper) * row.share;
      }
    }
  }
  return result;
}

/**
 * Resizes an image to a square of bytes, its proportions not kept, as {@link resizeFloat} with
 * every value rounded (halves upwards).
 *
 * @param image 8-bit RGB
 * @param side pixels a side
 * @returns [side, side, 3]
 */
export function resizeBilinear({ rgb, width, height }: Image, side: number): Uint8Array {
  if (width === side && height === side) return rgb.slice();
  const values = resizeFloat(rgb, { width, height, channels: 3 }, { width: side, height: side });
  const bytes = new Uint8Array(values.length);
  for (let i = 0; i < bytes.length; i++) bytes[i] = values[i] + 0.5;
  return bytes;
}

/** For each place of the result: the two source places it lies between, and the second one's share. */
function taps(from: number, to: number): { first: number; second: number; share: number }[] {
  return Array.from({ length: to }, (_, place) => {
    const centre = Math.max(0, (place + 0.5) * from / to - 0.5);
    const first = Math.min(Math.floor(centre), from - 1);
    return { first, second: Math.min(first + 1, from - 1), share: centre - first };
  });
}
