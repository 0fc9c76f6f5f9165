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
  const width = to.width * channels;
  const result = new Float32Array(to.height * width);
  const [across, down] = [taps(from.width, to.width), taps(from.height, to.height)];
  const row = rowReader(pixels, from.width, channels, across);
  for (let y = 0, at = 0; y < to.height; y++) {
    const share = down.share[y];
    const [upper, lower] = [row(down.first[y]), row(down.second[y])];
    for (let i = 0; i < width; i++) result[at++] = upper[i] + (lower[i] - upper[i]) * share;
  }
  return result;
}

/**
 * Rows of the source, resized across; the last two are kept, since neighbours of the result lie between
 * the same two.
 */
function rowReader(pixels: ArrayLike<number>, width: number, channels: number, across: Taps) {
  const kept = [0, 1].map(() => ({
    y: -1,
    values: new Float64Array(across.share.length * channels),
  }));
  return (y: number): Float64Array => {
    const known = kept.find((row) => row.y === y);
    if (known) return known.values;
    // Rows come from the top: the one further up is not needed any more.
    const row = kept[0].y <= kept[1].y ? kept[0] : kept[1];
    row.y = y;
    const start = y * width * channels;
    for (let x = 0, at = 0; x < across.share.length; x++) {
      const first = start + across.first[x] * channels;
      const second = start + across.second[x] * channels;
      const share = across.share[x];
      for (let channel = 0; channel < channels; channel++) {
        const a = pixels[first + channel];
        row.values[at++] = a + (pixels[second + channel] - a) * share;
      }
    }
    return row.values;
  };
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
interface Taps {
  readonly first: Int32Array;
  readonly second: Int32Array;
  readonly share: Float64Array;
}

function taps(from: number, to: number): Taps {
  const [first, second] = [new Int32Array(to), new Int32Array(to)];
  const share = new Float64Array(to);
  for (let place = 0; place < to; place++) {
    const centre = Math.max(0, (place + 0.5) * from / to - 0.5);
    first[place] = Math.min(Math.floor(centre), from - 1);
    second[place] = Math.min(first[place] + 1, from - 1);
    share[place] = centre - first[place];
  }
  return { first, second, share };
}
