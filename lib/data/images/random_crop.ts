import type { Random } from "../../random.ts";
import { axisTaps, resampleInto } from "./bilinear.ts";

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
  const across = axisTaps(side, { start: cut.left, length: cut.width, mirrored: cut.mirrored });
  const down = axisTaps(side, { start: cut.top, length: cut.height });
  resampleInto(out, offset, { values: image, width: s, channels: 3 }, across, down);
}
