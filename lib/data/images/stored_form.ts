import { decodeImage } from "./decode_image.ts";
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
  readonly version: InputVersion;
}

/** How JPEGs are decoded for a form. */
export function decodeOptions({ side, version }: StoredForm): JpegOptions {
  return version === 1 ? { firstFormat: true } : { least: side };
}

/**
 * Decodes a file to a form.
 *
 * @param name the file's name, for errors
 * @returns [side, side, 3] bytes
 * @throws {LetheError} as `decodeImage`
 */
export function decodeToForm(bytes: Uint8Array, name: string, form: StoredForm): Uint8Array {
  return resizeBilinear(decodeImage(bytes, name, decodeOptions(form)), form.side);
}
