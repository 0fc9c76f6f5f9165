import type { BatchStream } from "./image_source.ts";
import type { StreamedImages } from "./input_thread.ts";
import { prefetch } from "./prefetch.ts";
import type { Sample } from "../sample.ts";
import {
  checkSide,
  drawCuts,
  imageBatch,
  type InputFormat,
  targetRows,
  type Varied,
} from "./stored_source.ts";

/** Images that are asked for beyond the batch in use, and the bytes that they may take. */
const IMAGES_AHEAD = 128;
const BYTES_AHEAD = 256 * 2 ** 20;

/**
 * As `storedSource`, of images that another thread loads ahead of their use; image i is `samples[i]`.
 * Cuts are drawn in the order of the batches, whatever comes first: the bits do not depend on timing.
 */
export function streamedSource(
  images: StreamedImages,
  samples: readonly Sample[],
  format: InputFormat,
  varied?: Varied,
): BatchStream {
  const { side } = images;
  const { imageSize, task, labels } = format;
  checkSide(side, format, varied);
  const ahead = Math.min(IMAGES_AHEAD, Math.ceil(BYTES_AHEAD / (12 * imageSize ** 2)));
  return {
    targets: (indices) => targetRows(indices.map((i) => samples[i]), task, labels),
    async *batches(pieces) {
      const load = async (piece: readonly number[]) => ({
        piece,
        pixels: await images.pixels(piece, drawCuts(piece.length, side, varied), imageSize),
      });
      for await (const { piece, pixels } of prefetch(pieces, load, ahead)) {
        yield imageBatch(pixels, imageSize, piece.map((i) => samples[i]), format);
      }
    },
  };
}
