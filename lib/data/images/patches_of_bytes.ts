import * as tf from "@tensorflow/tfjs";
import { hasKernel, runKernel } from "../../tensor/kernel.ts";
import type { Cut } from "./random_crop.ts";

/** Whether the device in use takes images as bytes and makes its input of them itself (WebGPU). */
export function takesBytes(): boolean {
  return hasKernel("LethePatches");
}

/**
 * The model's input from stored images: cut, resized, mirrored, normalised and laid out as patch rows on
 * the device, where they arrive as bytes.
 *
 * @param bytes what `joinBytes` gives of [side, side, 3] images
 * @param cuts one per image; null takes them whole
 * @param mean per channel, of pixels in [0, 1]; `std` likewise
 * @returns [count (imageSize / patchSize)^2, 3 patchSize^2], owned by the caller
 */
export function patchesOfBytes(
  bytes: Uint8Array<ArrayBuffer>,
  count: number,
  side: number,
  cuts: readonly Cut[] | null,
  { imageSize, patchSize, mean, std }: {
    readonly imageSize: number;
    readonly patchSize: number;
    readonly mean: readonly number[];
    readonly std: readonly number[];
  },
): tf.Tensor {
  const rows = new Float32Array(5 * count);
  for (let i = 0; i < count; i++) {
    const { top, left, height, width, mirrored } = cuts?.[i] ??
      { top: 0, left: 0, height: side, width: side, mirrored: false };
    rows.set([top, left, height, width, mirrored ? 1 : 0], 5 * i);
  }
  const numbers = Object.fromEntries([0, 1, 2].flatMap((c) => [
    [`scale${c}`, 1 / (255 * std[c])],
    [`shift${c}`, -mean[c] / std[c]],
  ]));
  return tf.tidy(() =>
    runKernel("LethePatches", {
      bytes: tf.tensor1d(new Int32Array(bytes.buffer), "int32"),
      cuts: tf.tensor2d(rows, [count, 5]),
    }, { side, imageSize, patchSize, ...numbers })[0]
  );
}
