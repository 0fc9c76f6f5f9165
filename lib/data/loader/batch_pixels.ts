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
  if (cuts) cutInto(pixels, 0, images, side, cuts, imageSize);
  else images.forEach((image, i) => pixels.set(image, i * size));
  return pixels;
}

/** Cuts images into a batch, from the place `first` on; otherwise as {@link batchPixels}. */
export function cutInto(
  out: Float32Array,
  first: number,
  images: readonly Uint8Array[],
  side: number,
  cuts: readonly Cut[],
  imageSize: number,
): void {
  const size = imageSize * imageSize * 3;
  const whole = allWhole(cuts, side, imageSize);
  images.forEach((image, i) => {
    const at = (first + i) * size;
    if (!whole) cutAndResizeHere(image, side, cuts[i], imageSize, out, at);
    else if (cuts[i].mirrored) setMirrored(out, at, image, side);
    else out.set(image, at);
  });
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
