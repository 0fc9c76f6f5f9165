import { decodeImage, type Image } from "./decode_image.ts";
import { freeBytes } from "./free_bytes.ts";
import type { JpegOptions } from "./jpeg.ts";
import { resizeBilinear } from "./resize.ts";

/**
 * How files become pixels. 1: JPEGs are decoded in full, by the decoder of the first models. 2: by
 * libjpeg-turbo, and large ones at a half, a quarter or an eighth. A model keeps the version that it was
 * trained with.
 */
export type InputVersion = 1 | 2;

/** The version of models that are made now. */
export const INPUT_VERSION: InputVersion = 2;

/** How images are kept for a model. */
export interface StoredForm {
  /** Pixels a side; proportions are not kept. */
  readonly side: number;
  /** Of this form. */
  readonly version: InputVersion;
}

/** How JPEGs are decoded for a form. */
export function decodeOptions({ side, version }: StoredForm): JpegOptions {
  return version === 1 ? { firstFormat: true } : { least: side };
}

/** A file in a form, and the picture before that where it is the smaller of the two. */
export interface FormImage {
  /** [side, side, 3] */
  readonly pixels: Uint8Array;
  /** Of the picture as it was decoded: the file's, or a half and so on of it, not below the form's side. */
  readonly height: number;
  /** What `pixels` was enlarged from; null where it was not. */
  readonly smaller: Image | null;
}

/** As {@link decodeToForm}, with what is worth keeping of it. @throws {LetheError} as `decodeImage` */
export function decodeForForm(bytes: Uint8Array, name: string, form: StoredForm): FormImage {
  const image = decodeImage(bytes, name, decodeOptions(form));
  const pixels = resizeBilinear(image, form.side);
  const { height, rgb } = image;
  if (rgb.length < pixels.length) return { pixels, height, smaller: image };
  freeBytes(rgb); // a photograph's takes a hundred times the room of the pixels
  return { pixels, height, smaller: null };
}

/**
 * Decodes a file to a form.
 *
 * @param name the file's name, for errors
 * @returns [side, side, 3] bytes
 * @throws {LetheError} as `decodeImage`
 */
export function decodeToForm(bytes: Uint8Array, name: string, form: StoredForm): Uint8Array {
  return decodeForForm(bytes, name, form).pixels;
}
