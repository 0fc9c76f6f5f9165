import { axisTaps, resampleInto } from "./bilinear.ts";
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
  const { width, height, channels } = from;
  const result = new Float32Array(to.height * to.width * channels);
  const across = axisTaps(to.width, { start: 0, length: width });
  const down = axisTaps(to.height, { start: 0, length: height });
  resampleInto(result, 0, { values: pixels, width, channels }, across, down);
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
