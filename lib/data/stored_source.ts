import * as tf from "@tensorflow/tfjs";
import type { Random } from "../tensor/random.ts";
import { type Augmentation, cutAndResize, cutAndResizeHere, drawCut } from "./augment.ts";
import type { ImageSource } from "./image_source.ts";
import { patchRows } from "./patches.ts";
import type { Sample, Task } from "./sample.ts";

/** Decoded images, all of one size. */
export interface StoredImages {
  /** Pixels a side. */
  readonly side: number;
  /** Position of a file's image. @throws {RangeError} it is not among them */
  indexOf(file: string): number;
  /** The image at a position: [side, side, 3] bytes, not to be changed. */
  pixels(position: number): Uint8Array;
}

/** How pixels become the model's input. */
export interface InputFormat {
  /** Side of the model's input, pixels. */
  readonly imageSize: number;
  readonly patchSize: number;
  /** Per channel, of pixels in [0, 1]. */
  readonly mean: readonly number[];
  readonly std: readonly number[];
  readonly task: Task;
  /** Number of labels or classes. */
  readonly labels: number;
}

/** Targets of samples, row after row: 0 or 1 per label, or one-hot classes. */
export function targetRows(samples: readonly Sample[], task: Task, labels: number): Float32Array {
  const rows = new Float32Array(samples.length * labels);
  samples.forEach(({ targets }, i) => {
    if (task === "classes") rows[i * labels + targets[0]] = 1;
    else rows.set(targets, i * labels);
  });
  return rows;
}

/**
 * Batches from decoded images; index i is `samples[i]`.
 *
 * Without `varied` the stored side must be the model's input side and images come as they are;
 * with it each batch draws its cuts from `random`, so the order of calls matters.
 */
export function storedSource(
  images: StoredImages,
  samples: readonly Sample[],
  format: InputFormat,
  varied?: { augmentation: Augmentation; random: Random },
): ImageSource {
  const { side } = images;
  const size = side * side * 3;
  if (!varied && side !== format.imageSize) {
    throw new TypeError(`stored side ${side} is not the input side ${format.imageSize}`);
  }
  const targets = (indices: readonly number[]) =>
    targetRows(indices.map((i) => samples[i]), format.task, format.labels);
  const positions = samples.map((sample) => images.indexOf(sample.file));

  return {
    targets,
    batch(indices) {
      const cuts = varied &&
        indices.map(() => drawCut(varied.augmentation, side, varied.random));
      // A whole image has only to be mirrored, which costs nothing while it is copied.
      const whole = side === format.imageSize &&
        cuts?.every(({ height, width }) => height === side && width === side);
      const { imageSize } = format;
      const cutHere = cuts !== undefined && !whole && tf.getBackend() !== "webgpu";
      const [stride, length] = cutHere ? [imageSize, imageSize ** 2 * 3] : [side, size];
      const pixels = new Float32Array(indices.length * length);
      indices.forEach((index, i) => {
        const image = images.pixels(positions[index]);
        if (cutHere) cutAndResizeHere(image, side, cuts[i], imageSize, pixels, i * length);
        else if (whole && cuts![i].mirrored) setMirrored(pixels, i * length, image, side);
        else pixels.set(image, i * length);
      });
      const patches = tf.tidy(() => {
        const stored = tf.tensor4d(pixels, [indices.length, stride, stride, 3]);
        const onDevice = cuts !== undefined && !whole && !cutHere;
        const input = onDevice ? cutAndResize(stored, cuts, imageSize) : stored;
        return patchRows(normalise(input, format), format.patchSize);
      });
      return { patches, targets: tf.tensor2d(targets(indices), [indices.length, format.labels]) };
    },
  };
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

/** Pixels 0..255 to the model's input: (x / 255 - mean) / std per channel. */
export function normalise(pixels: tf.Tensor, { mean, std }: InputFormat): tf.Tensor {
  return tf.tidy(() => {
    const scale = tf.tensor1d(std.map((deviation) => 1 / (255 * deviation)));
    const shift = tf.tensor1d(mean.map((m, c) => -m / std[c]));
    return tf.add(tf.mul(pixels, scale), shift);
  });
}
