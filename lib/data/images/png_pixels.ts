/** How a PNG stores its pixels (PNG, third edition, sections 7 and 11.2.1). */
export interface PngFormat {
  readonly width: number;
  readonly height: number;
  /** Bits per sample: 1, 2, 4, 8 or 16. */
  readonly depth: number;
  /** 0 grey, 2 RGB, 3 palette, 4 grey and alpha, 6 RGB and alpha. */
  readonly colourType: number;
  /** In Adam7's seven passes. */
  readonly interlaced: boolean;
  /** Three bytes a colour. */
  readonly palette?: Uint8Array;
  /** Alpha per palette entry, or the one transparent grey or colour in two-byte samples. */
  readonly transparency?: Uint8Array;
}

const CHANNELS: Record<number, number> = { 0: 1, 2: 3, 3: 1, 4: 2, 6: 4 };

/** Adam7: first column and row, and the steps between columns and rows, of each pass. */
const ADAM7 = [
  [0, 0, 8, 8],
  [4, 0, 8, 8],
  [0, 4, 4, 8],
  [2, 0, 4, 4],
  [0, 2, 2, 4],
  [1, 0, 2, 2],
  [0, 1, 1, 2],
];

interface Pass {
  readonly x: number;
  readonly y: number;
  readonly stepX: number;
  readonly stepY: number;
  readonly columns: number;
  readonly rows: number;
  readonly rowBytes: number;
}

function passes({ width, height, depth, colourType, interlaced }: PngFormat): Pass[] {
  return (interlaced ? ADAM7 : [[0, 0, 1, 1]]).map(([x, y, stepX, stepY]) => {
    const columns = Math.ceil((width - x) / stepX);
    const rows = Math.ceil((height - y) / stepY);
    const rowBytes = Math.ceil(columns * depth * CHANNELS[colourType] / 8);
    return { x, y, stepX, stepY, columns, rows, rowBytes };
  }).filter(({ columns, rows }) => columns > 0 && rows > 0);
}

/** Bytes of all rows, each with its filter byte, before compression. */
export function packedLength(format: PngFormat): number {
  return passes(format).reduce((sum, { rows, rowBytes }) => sum + rows * (1 + rowBytes), 0);
}

/**
 * Undoes filters and interlacing.
 *
 * @param packed {@link packedLength} bytes; overwritten
 * @returns one element per sample, [height, width, channels], at its own depth; null when a row
 *   names a filter that does not exist
 */
export function unpack(packed: Uint8Array, format: PngFormat): Uint8Array | Uint16Array | null {
  const { width, height, depth, colourType } = format;
  const channels = CHANNELS[colourType];
  const size = width * height * channels;
  const samples = depth === 16 ? new Uint16Array(size) : new Uint8Array(size);
  const pixelBytes = Math.max(1, channels * depth / 8);
  let at = 0;
  for (const pass of passes(format)) {
    let above: Uint8Array = new Uint8Array(pass.rowBytes);
    for (let row = 0; row < pass.rows; row++) {
      const filter = packed[at];
      const line = packed.subarray(at + 1, at + 1 + pass.rowBytes);
      if (!unfilter(filter, line, above, pixelBytes)) return null;
      const rowStart = (pass.y + row * pass.stepY) * width;
      for (let column = 0; column < pass.columns; column++) {
        const to = (rowStart + pass.x + column * pass.stepX) * channels;
        for (let channel = 0; channel < channels; channel++) {
          samples[to + channel] = sampleAt(line, column * channels + channel, depth);
        }
      }
      above = line;
      at += 1 + pass.rowBytes;
    }
  }
  return samples;
}

function sampleAt(line: Uint8Array, index: number, depth: number): number {
  if (depth === 8) return line[index];
  if (depth === 16) return line[2 * index] << 8 | line[2 * index + 1];
  const bit = index * depth;
  return line[bit >> 3] >> (8 - depth - (bit & 7)) & ((1 << depth) - 1);
}

/** Undoes one row's filter in place (section 9.2); false when there is no such filter. */
function unfilter(
  filter: number,
  line: Uint8Array,
  above: Uint8Array,
  pixelBytes: number,
): boolean {
  if (filter > 4) return false;
  for (let i = 0; i < line.length; i++) {
    const left = i >= pixelBytes ? line[i - pixelBytes] : 0;
    const up = above[i];
    if (filter === 1) line[i] += left;
    else if (filter === 2) line[i] += up;
    else if (filter === 3) line[i] += (left + up) >> 1;
    else if (filter === 4) line[i] += paeth(left, up, i >= pixelBytes ? above[i - pixelBytes] : 0);
  }
  return true;
}

function paeth(left: number, up: number, corner: number): number {
  const estimate = left + up - corner;
  const toLeft = Math.abs(estimate - left);
  const toUp = Math.abs(estimate - up);
  const toCorner = Math.abs(estimate - corner);
  if (toLeft <= toUp && toLeft <= toCorner) return left;
  return toUp <= toCorner ? up : corner;
}

/**
 * Turns samples into 8-bit RGB over white.
 *
 * @returns pixels [height, width, 3]; null when a sample points past the palette
 */
export function toRgb(samples: Uint8Array | Uint16Array, format: PngFormat): Uint8Array | null {
  const { width, height, depth, colourType, palette, transparency } = format;
  const channels = CHANNELS[colourType];
  const scale = 255 / (2 ** depth - 1);
  const hasAlpha = colourType === 4 || colourType === 6;
  const colours = hasAlpha ? channels - 1 : channels;
  const key = hasAlpha ? undefined : transparentSamples(transparency, colours);
  const rgb = new Uint8Array(3 * width * height);
  for (let pixel = 0; pixel < width * height; pixel++) {
    const from = pixel * channels;
    let alpha = 255;
    let entry = 0;
    if (colourType === 3) {
      entry = samples[from];
      if (3 * entry + 2 >= palette!.length) return null;
      alpha = transparency?.[entry] ?? 255;
    } else if (hasAlpha) {
      alpha = samples[from + channels - 1] * scale;
    } else if (key?.every((value, channel) => samples[from + channel] === value)) {
      alpha = 0;
    }
    for (let channel = 0; channel < 3; channel++) {
      const value = colourType === 3
        ? palette![3 * entry + channel]
        : samples[from + (colours === 1 ? 0 : channel)] * scale;
      rgb[3 * pixel + channel] = Math.round(255 + (value - 255) * alpha / 255);
    }
  }
  return rgb;
}

function transparentSamples(
  transparency: Uint8Array | undefined,
  colours: number,
): number[] | undefined {
  if (!transparency || transparency.length !== 2 * colours) return undefined;
  return Array.from(
    { length: colours },
    (_, i) => transparency[2 * i] << 8 | transparency[2 * i + 1],
  );
}
