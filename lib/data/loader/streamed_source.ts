import type { Samples } from "../sample.ts";
import type { BatchStream, Foretold, ImageFeed } from "./image_source.ts";
import type { StreamedImages } from "./input_thread.ts";
import { freeBytes } from "../images/free_bytes.ts";
import { patchesForm, takesBytes } from "../images/patches_of_bytes.ts";
import { prefetch } from "./prefetch.ts";
import {
  byteBatch,
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
 * As `storedSource`, of images that another thread loads, ahead of their use where their order is known.
 * Cuts are drawn in the order of the batches, whatever comes first: the bits do not depend on timing.
 *
 * @param positions of the samples among the images; default: image i is `samples[i]`
 */
export function streamedSource(
  images: StreamedImages,
  samples: Samples,
  format: InputFormat,
  varied?: Varied,
  positions?: ArrayLike<number>,
): ImageFeed & BatchStream & Foretold {
  const { side } = images;
  const { imageSize, task, labels } = format;
  checkSide(side, format, varied);
  const ahead = Math.min(IMAGES_AHEAD, Math.ceil(BYTES_AHEAD / (12 * imageSize ** 2)));
  const placed = (indices: readonly number[]) =>
    positions ? indices.map((i) => positions[i]) : indices;
  const load = async (piece: readonly number[]) => {
    const cuts = drawCuts(piece.length, side, varied);
    const chosen = placed(piece);
    return takesBytes()
      ? { piece, cuts, bytes: await images.bytes(chosen) }
      : { piece, pixels: await images.pixels(chosen, cuts, imageSize) };
  };
  const upload = (loaded: Awaited<ReturnType<typeof load>>) => {
    const chosen = loaded.piece.map((i) => samples.at(i)!);
    const batch = "bytes" in loaded
      ? byteBatch(loaded.bytes!, side, loaded.cuts ?? null, chosen, format)
      : imageBatch(loaded.pixels!, chosen, format);
    // The device has them; bytes are freed with the batch.
    if (loaded.pixels) freeBytes(loaded.pixels);
    return batch;
  };
  return {
    targets: (indices) => targetRows(indices.map((i) => samples.at(i)!), task, labels),
    batch: async (indices) => upload(await load(indices)),
    form: (count) => takesBytes() ? patchesForm(count, side, format) : undefined,
    warm: (indices) => images.warm(placed(indices)),
    batches(pieces, onWait) {
      const loading = prefetch(pieces, load, ahead);
      return (async function* () {
        while (true) {
          const begun = performance.now();
          const { done, value } = await loading.next();
          onWait?.(performance.now() - begun);
          if (done) return;
          yield upload(value);
        }
      })();
    },
  };
}
