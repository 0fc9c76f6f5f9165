import type { Random } from "../../random.ts";

/** How training images are varied. */
export interface Augmentation {
  /** RandomResizedCrop: shares of the area and aspect ratios to draw from; null keeps the whole image. */
  readonly crop: {
    readonly scale: readonly [number, number];
    readonly ratio: readonly [number, number];
  } | null;
  /** Mirror half of the images. */
  readonly flip: boolean;
}

/** What is cut out of a stored image, in its pixels; the cut may be mirrored. */
export interface Cut {
  readonly top: number;
  readonly left: number;
  readonly height: number;
  readonly width: number;
  readonly mirrored: boolean;
}

/**
 * Draws one image's cut, as torchvision's RandomResizedCrop and RandomHorizontalFlip do: area and
 * log-uniform aspect ratio, ten tries, then the largest centred cut of an allowed ratio.
 *
 * @param side of the stored square image, pixels
 */
export function drawCut(augmentation: Augmentation, side: number, random: Random): Cut {
  const whole = { top: 0, left: 0, height: side, width: side };
  const box = augmentation.crop === null ? whole : drawBox(augmentation.crop, side, random);
  return { ...box, mirrored: augmentation.flip && random.uniform() < 0.5 };
}

function drawBox(crop: NonNullable<Augmentation["crop"]>, side: number, random: Random) {
  const between = (low: number, high: number) => low + (high - low) * random.uniform();
  for (let attempt = 0; attempt < 10; attempt++) {
    const area = side * side * between(...crop.scale);
    const ratio = Math.exp(between(Math.log(crop.ratio[0]), Math.log(crop.ratio[1])));
    const width = Math.round(Math.sqrt(area * ratio));
    const height = Math.round(Math.sqrt(area / ratio));
    if (width > 0 && width <= side && height > 0 && height <= side) {
      const top = random.integer(side - height + 1);
      return { top, left: random.integer(side - width + 1), height, width };
    }
  }
  // The stored image is square, so the fallback only trims it to the nearest allowed ratio.
  const width = Math.round(side * Math.min(1, crop.ratio[1]));
  const height = Math.round(side * Math.min(1, 1 / crop.ratio[0]));
  return {
    top: Math.floor((side - height) / 2),
    left: Math.floor((side - width) / 2),
    height,
    width,
  };
}

/** What makes a cell of the resized axis: two cells of the old one, and the share of the second. */
export interface Tap {
  readonly low: number;
  readonly high: number;
  readonly share: number;
}

/**
 * Bilinear resampling of one axis: half-pixel centres, no antialias, edges clamped to the cut (as
 * torchvision resizes a crop).
 *
 * @returns one tap per cell of the resized axis
 */
export function axisTaps(to: number, start: number, length: number, mirrored: boolean): Tap[] {
  const scale = length / to;
  const taps = Array.from({ length: to }, (_, i) => {
    const at = Math.max(0, (i + 0.5) * scale - 0.5);
    const low = Math.min(Math.floor(at), length - 1);
    return { low: start + low, high: start + Math.min(low + 1, length - 1), share: at - low };
  });
  return mirrored ? taps.reverse() : taps;
}

/**
 * Cuts and resizes one image as `patchesOfBytes` does on the device, in plain loops.
 *
 * @param image [s, s, 3]
 * @param out gets [side, side, 3] at `offset`
 */
export function cutAndResizeHere(
  image: Uint8Array,
  s: number,
  cut: Cut,
  side: number,
  out: Float32Array,
  offset: number,
): void {
  const rows = axisTaps(side, cut.top, cut.height, false);
  const columns = axisTaps(side, cut.left, cut.width, cut.mirrored);
  const lefts = Int32Array.from(columns, ({ low }) => 3 * low);
  const rights = Int32Array.from(columns, ({ high }) => 3 * high);
  const shares = Float64Array.from(columns, ({ share }) => share);
  // Neighbours of the result lie between the same two rows, which are resized across once.
  const kept = [0, 1].map(() => ({ y: -1, values: new Float64Array(3 * side) }));
  const across = (y: number): Float64Array => {
    const known = kept.find((row) => row.y === y);
    if (known) return known.values;
    const row = kept[0].y <= kept[1].y ? kept[0] : kept[1];
    row.y = y;
    const start = 3 * y * s;
    for (let x = 0, at = 0; x < side; x++) {
      const [left, right, share] = [start + lefts[x], start + rights[x], shares[x]];
      for (let c = 0; c < 3; c++) {
        row.values[at++] = image[left + c] * (1 - share) + image[right + c] * share;
      }
    }
    return row.values;
  };
  let to = offset;
  for (const { low, high, share } of rows) {
    const [upper, lower] = [across(low), across(high)];
    for (let i = 0; i < 3 * side; i++) out[to++] = upper[i] * (1 - share) + lower[i] * share;
  }
}
