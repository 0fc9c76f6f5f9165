import type { BatchStream, ImageFeed } from "../data/loader/image_source.ts";
import type { InputThread, StreamedImages } from "../data/loader/input_thread.ts";
import type { Varied } from "../data/loader/stored_source.ts";
import { streamedSource } from "../data/loader/streamed_source.ts";
import type { Samples } from "../data/sample.ts";
import type { ModelConfig } from "../model/config.ts";
import { inputFormat, storedForm } from "../model/input_format.ts";
import { type SplitData, streamSamples } from "./split_data.ts";

/** The images of a split's data set, loaded while the device computes, each held against its hash. */
export interface SplitImages extends Disposable {
  /**
   * Batches of some of them, as a model wants them.
   *
   * @param side pixels a side at which they are kept; default the model's input
   */
  source(
    samples: Samples,
    config: ModelConfig,
    options?: { readonly side?: number; readonly varied?: Varied },
  ): ImageFeed & BatchStream;
}

/**
 * Starts the thread that loads them. What is decoded stays in memory within a bound, whichever parts of
 * the split ask for it, so that a command's memory does not grow with the number of images.
 *
 * @param cache a folder that keeps decoded images
 * @param onNotice gets a line when it takes no more
 */
export function openImages(
  data: SplitData,
  cache?: string,
  onNotice?: (line: string) => void,
): SplitImages {
  const input: InputThread = streamSamples(data, cache, onNotice);
  const { samples: everything } = data.dataset;
  const files = data.files ?? everything.map(({ file }) => file);
  const rows = data.files ? null : new Map(everything.map(({ file }, row) => [file, row]));
  const forms = new Map<string, StreamedImages>();
  return {
    source(samples, config, { side, varied } = {}) {
      const form = storedForm(config, side);
      const key = JSON.stringify(form);
      const images = forms.get(key) ?? input.images(files, form);
      forms.set(key, images);
      const positions = new Uint32Array(samples.length);
      samples.forEach((sample, i) => {
        // Rows of another opening of the same split are the same.
        const row = rows ? rows.get(sample.file) : sample.row;
        if (row === undefined) {
          throw new RangeError(`${sample.file} is not of the split's data set`);
        }
        positions[i] = row;
      });
      return streamedSource(images, samples, inputFormat(config), varied, positions);
    },
    [Symbol.dispose]: () => input[Symbol.dispose](),
  };
}
