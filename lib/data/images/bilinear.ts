/** For each place of a resized axis: the two source places it lies between, and the second one's share. */
export interface Taps {
  readonly first: Int32Array;
  readonly second: Int32Array;
  readonly share: Float64Array;
}

/** The part of an axis that is resized, and whether it is mirrored. */
export interface Stretch {
  readonly start: number;
  readonly length: number;
  readonly mirrored?: boolean;
}

/**
 * Bilinear resampling of one axis: half-pixel centres, no antialiasing, edges of the part repeated, as
 * `torch.nn.functional.interpolate` and torchvision's resized crops do.
 *
 * @param to places of the resized axis
 */
export function axisTaps(to: number, { start, length, mirrored = false }: Stretch): Taps {
  const [first, second] = [new Int32Array(to), new Int32Array(to)];
  const share = new Float64Array(to);
  for (let i = 0; i < to; i++) {
    const place = mirrored ? to - 1 - i : i;
    const centre = Math.max(0, (i + 0.5) * length / to - 0.5);
    const low = Math.min(Math.floor(centre), length - 1);
    first[place] = start + low;
    second[place] = start + Math.min(low + 1, length - 1);
    share[place] = centre - low;
  }
  return { first, second, share };
}

/** An image in memory, row after row. */
export interface Pixels {
  readonly values: ArrayLike<number>;
  readonly width: number;
  readonly channels: number;
}

/**
 * Resizes both axes, across first.
 *
 * @param out gets [down, across, channels] at `offset`, not rounded
 */
export function resampleInto(
  out: Float32Array,
  offset: number,
  { values, width, channels }: Pixels,
  across: Taps,
  down: Taps,
): void {
  const size = across.share.length * channels;
  // Neighbours of the result lie between the same two rows, which are resized across once.
  const kept = [0, 1].map(() => ({ y: -1, values: new Float64Array(size) }));
  const rowAt = (y: number): Float64Array => {
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
        const a = values[first + channel];
        row.values[at++] = a + (values[second + channel] - a) * share;
      }
    }
    return row.values;
  };
  for (let y = 0, at = offset; y < down.share.length; y++) {
    const share = down.share[y];
    const [upper, lower] = [rowAt(down.first[y]), rowAt(down.second[y])];
    for (let i = 0; i < size; i++) out[at++] = upper[i] + (lower[i] - upper[i]) * share;
  }
}
