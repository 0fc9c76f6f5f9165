import * as tf from "@tensorflow/tfjs";
import type { Random } from "../../random.ts";
import { joinBytes } from "../images/join_bytes.ts";
import { patchesForm, patchesOfBytes, takesBytes } from "../images/patches_of_bytes.ts";
import { batchPixels } from "./batch_pixels.ts";
import { type Augmentation, type Cut, drawCut } from "../images/random_crop.ts";
import type { Foretold, ImageBatch, ImageSource } from "./image_source.ts";
import { patchRows } from "../images/patches.ts";
import type { Samples, Task } from "../sample.ts";

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

/**
 * Targets of samples, row after row: 0 or 1 per label, or one-hot classes.
 *
 * @param rows zeros, to be written into; bytes take a quarter of the room
 */
export function targetRows<Rows extends Float32Array | Uint8Array = Float32Array>(
  samples: Samples,
  task: Task,
  labels: number,
  rows: Rows = new Float32Array(samples.length * labels) as Rows,
): Rows {
  samples.forEach((sample, i) => {
    if (sample.writeTargets) sample.writeTargets(rows, i * labels);
    else if (task === "classes") rows[i * labels + sample.targets[0]] = 1;
    else rows.set(sample.targets, i * labels);
  });
  return rows;
}

/** As {@link targetRows}, in bytes: what is asked of many images on the host. */
export function byteTargets(samples: Samples, task: Task, labels: number): Uint8Array {
  return targetRows(samples, task, labels, new Uint8Array(samples.length * labels));
}

/** How a source varies its images. */
export interface Varied {
  readonly augmentation: Augmentation;
  /** Every batch draws its cuts from it, so the order of calls matters. */
  readonly random: Random;
}

/** @throws {TypeError} images that are not varied have another side than the model's input */
export function checkSide(side: number, { imageSize }: InputFormat, varied?: Varied): void {
  if (varied || side === imageSize) return;
  throw new TypeError(`stored side ${side} is not the input side ${imageSize}`);
}

/** One cut per image, drawn in their order; null without variation. */
export function drawCuts(count: number, side: number, varied?: Varied): Cut[] | null {
  if (!varied) return null;
  return Array.from({ length: count }, () => drawCut(varied.augmentation, side, varied.random));
}

/**
 * Uploads a batch whose pixels were cut and resized here.
 *
 * @param pixels [b, imageSize, imageSize, 3], 0 to 255
 */
export function imageBatch(
  pixels: Float32Array,
  samples: Samples,
  format: InputFormat,
): ImageBatch {
  const { imageSize, patchSize } = format;
  const patches = tf.tidy(() => {
    const input = tf.tensor4d(pixels, [samples.length, imageSize, imageSize, 3]);
    return patchRows(normalise(input, format), patchSize);
  });
  return { patches, targets: targetsOf(samples, format) };
}

/**
 * Uploads a batch as it is stored, for the device to make its input of (see `takesBytes`).
 *
 * @param bytes what `joinBytes` gives of [side, side, 3] images
 * @param cuts one per image; null takes them whole
 */
export function byteBatch(
  bytes: Uint8Array<ArrayBuffer>,
  side: number,
  cuts: readonly Cut[] | null,
  samples: Samples,
  format: InputFormat,
): ImageBatch {
  const patches = patchesOfBytes(bytes, samples.length, side, cuts, format);
  return { patches, targets: targetsOf(samples, format) };
}

function targetsOf(samples: Samples, { task, labels }: InputFormat): tf.Tensor {
  return tf.tensor2d(targetRows(samples, task, labels), [samples.length, labels]);
}

/**
 * Batches from decoded images; index i is `samples[i]`.
 *
 * Without `varied` the stored side must be the model's input side and images come as they are.
 */
export function storedSource(
  images: StoredImages,
  samples: Samples,
  format: InputFormat,
  varied?: Varied,
): ImageSource & Foretold {
  const { side } = images;
  const { imageSize, task, labels } = format;
  checkSide(side, format, varied);
  const positions = samples.map((sample) => images.indexOf(sample.file));
  return {
    targets: (indices) => targetRows(indices.map((i) => samples.at(i)!), task, labels),
    form: (count) => takesBytes() ? patchesForm(count, side, format) : undefined,
    batch(indices) {
      const cuts = drawCuts(indices.length, side, varied);
      const stored = indices.map((i) => images.pixels(positions[i]));
      const chosen = indices.map((i) => samples.at(i)!);
      if (takesBytes()) return byteBatch(joinBytes(stored), side, cuts, chosen, format);
      return imageBatch(batchPixels(stored, side, cuts, imageSize), chosen, format);
    },
  };
}

/** Pixels 0..255 to the model's input: (x / 255 - mean) / std per channel. */
export function normalise(pixels: tf.Tensor, { mean, std }: InputFormat): tf.Tensor {
  return tf.tidy(() => {
    const scale = tf.tensor1d(std.map((deviation) => 1 / (255 * deviation)));
    const shift = tf.tensor1d(mean.map((m, c) => -m / std[c]));
    return tf.add(tf.mul(pixels, scale), shift);
  });
}
