import type * as tf from "@tensorflow/tfjs";
import { hasKernel } from "../../tensor/kernel.ts";
import type { DeferredForm } from "../../tensor/backend/tensor_data.ts";
import { patchesKernel } from "../../tensor/kernels/webgpu/recorded/patches.ts";
import { deferredTensor } from "../../tensor/recording/deferred_tensor.ts";
import { activeWebgpu } from "../../tensor/recording/owned_tensor.ts";
import type { Form } from "../../tensor/recording/recording.ts";
import { freeBytes } from "./free_bytes.ts";
import type { Cut } from "./random_crop.ts";

/** Whether the device in use takes images as bytes and makes its input of them itself (WebGPU). */
export function takesBytes(): boolean {
  return hasKernel("LethePatches");
}

/** What the model's input from bytes depends on besides the images. */
export interface PatchFormat {
  readonly imageSize: number;
  readonly patchSize: number;
  /** Per channel, of pixels in [0, 1]. */
  readonly mean: readonly number[];
  readonly std: readonly number[];
}

/** As {@link patchesOfBytes}, of images to come: for steps that are recorded before any is there. */
export function patchesForm(
  count: number,
  side: number,
  format: PatchFormat,
): Form & { readonly deferred: DeferredForm } {
  const { imageSize, patchSize, mean, std } = format;
  const attrs: Record<string, number> = { side, imageSize, patchSize };
  for (const c of [0, 1, 2]) {
    attrs[`scale${c}`] = 1 / (255 * std[c]);
    attrs[`shift${c}`] = -mean[c] / std[c];
  }
  const words = Math.ceil(3 * side * side * count / 4);
  return {
    shape: [count * (imageSize / patchSize) ** 2, 3 * patchSize ** 2],
    dtype: "float32",
    deferred: {
      key: `patches of bytes ${count} ${Object.values(attrs)}`,
      from: {
        bytes: { shape: [words], dtype: "int32" },
        cuts: { shape: [count, 5], dtype: "float32" },
      },
      compute: (backend, inputs) => patchesKernel({ backend, inputs, attrs }),
    },
  };
}

/**
 * The model's input from stored images: cut, resized, mirrored, normalised and laid out as patch rows on
 * the device, where they arrive as bytes. It is computed by the recorded step that it goes into, else when
 * it is first needed.
 *
 * @param bytes what `joinBytes` gives of [side, side, 3] images; taken over, and freed with the result
 * @param cuts one per image; null takes them whole
 * @returns [count (imageSize / patchSize)^2, 3 patchSize^2], owned by the caller
 */
export function patchesOfBytes(
  bytes: Uint8Array<ArrayBuffer>,
  count: number,
  side: number,
  cuts: readonly Cut[] | null,
  format: PatchFormat,
): tf.Tensor {
  const rows = new Float32Array(5 * count);
  for (let i = 0; i < count; i++) {
    const { top, left, height, width, mirrored } = cuts?.[i] ??
      { top: 0, left: 0, height: side, width: side, mirrored: false };
    rows.set([top, left, height, width, mirrored ? 1 : 0], 5 * i);
  }
  const form = patchesForm(count, side, format);
  const numbers = { bytes: new Int32Array(bytes.buffer), cuts: rows };
  return deferredTensor(activeWebgpu()!, form, numbers, () => freeBytes(bytes));
}
