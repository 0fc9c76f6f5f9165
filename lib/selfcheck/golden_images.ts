import * as tf from "@tensorflow/tfjs";
import type { ImageSource } from "../data/loader/image_source.ts";
import { patchRows } from "../data/images/patches.ts";
import type { Weight } from "../model/safetensors.ts";
import { type Golden, goldenTensor } from "./golden.ts";

/** Patch rows of a golden tensor of images, [b, 3, side, side] in [-1, 1]; the caller disposes them. */
export function goldenPatches({ shape: { patchSize } }: Golden, images: Weight): tf.Tensor {
  return tf.tidy(() => {
    const tensor = tf.tensor(images.values, [...images.shape]);
    return patchRows(tf.transpose(tensor, [0, 2, 3, 1]), patchSize);
  });
}

/**
 * Golden images, one part after another, as a source of batches.
 *
 * @param parts images [b, 3, side, side] and targets [b, labels] of each part
 * @returns the source; the indices of each part; the tensor that the source keeps, to be disposed
 */
export function goldenSource(
  golden: Golden,
  parts: readonly { readonly images: Weight; readonly targets: Weight }[],
): { source: ImageSource; indices: number[][]; rows: tf.Tensor } {
  const { labels, shape } = golden;
  const rows = tf.tidy(() => tf.concat(parts.map(({ images }) => goldenPatches(golden, images))));
  const all = Float32Array.from(parts.flatMap(({ targets }) => [...targets.values]));
  const n = (shape.imageSize / shape.patchSize) ** 2;
  const targets = (indices: readonly number[]) =>
    Float32Array.from(indices.flatMap((i) => [...all.subarray(i * labels, (i + 1) * labels)]));
  const batch = (indices: readonly number[]) => ({
    patches: tf.tidy(() => tf.concat(indices.map((i) => tf.slice(rows, [i * n, 0], [n, -1])))),
    targets: tf.tensor2d(targets(indices), [indices.length, labels]),
  });
  let next = 0;
  const indices = parts.map(({ images }) => Array.from({ length: images.shape[0] }, () => next++));
  return { source: { targets, batch }, indices, rows };
}

/**
 * {@link goldenSource} of parts by name, in that order: `train` is of the methods' own file.
 *
 * @returns as {@link goldenSource}
 */
export function goldenParts(golden: Golden, ...names: readonly string[]) {
  return goldenSource(
    golden,
    names.map((name) => {
      const file = name === "train" ? golden.methods.batch : golden.batch;
      return {
        images: goldenTensor(file, `${name}.images`),
        targets: goldenTensor(file, `${name}.targets`),
      };
    }),
  );
}
