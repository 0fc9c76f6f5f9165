import { type Cut, cutAndResizeHere } from "../images/random_crop.ts";

/**
 * Pixels of a batch as the model's input side has them, on this processor.
 *
 * @param images [side, side, 3] bytes each
 * @param cuts one per image; null takes the images as they are, which have the input's side then
 * @param imageSize side of the model's input, pixels
 * @returns [b, imageSize, imageSize, 3], 0 to 255
 */
export function batchPixels(
  images: readonly Uint8Array[],
  side: number,
  cuts: readonly Cut[] | null,
  imageSize: number,
): Float32Array<ArrayBuffer> {
  const size = imageSize * imageSize * 3;
  const pixels = new Float32Array(images.length * size);
  const whole = cuts !== null && allWhole(cuts, side, imageSize);
  images.forEach((image, i) => {
    if (cuts && !whole) cutAndResizeHere(image, side, cuts[i], imageSize, pixels, i * size);
    else if (cuts?.[i].mirrored) setMirrored(pixels, i * size, image, side);
    else pixels.set(image, i * size);
  });
  return pixels;
}

/** Whether cuts take whole images that have the input's side: mirroring is all there is to do. */
export function allWhole(cuts: readonly Cut[], side: number, imageSize: number): boolean {
  return side === imageSize &&
    cuts.every(({ height, width }) => height === side && width === side);
}

/** Writes an image with left and right exchanged. */
function setMirrored(out: Float32Array, offset: number, image: Uint8Array, side: number): void {
  for (let y = 0; y < side; y++) {
    for (let x = 0; x < side; x++) {
      const from = 3 * (y * side + x);
      const to = offset + 3 * (y * side + side - 1 - x);
      out[to] = image[from];
      out[to + 1] = image[from + 1];
      out[to + 2] = image[from + 2];
    }
  }
}
