import * as tf from "@tensorflow/tfjs";
import { hasKernel } from "../../tensor/kernel.ts";
import type { AuxiliaryBatch, MetaObjective } from "./meta_objective.ts";
import { type DeviceBatch, originalRow, type TermImages } from "./objective_on_device.ts";

/** Passes that a batch of images may take: more of them are loaded pass by pass. */
const MOST_PASSES = 4;

/**
 * Whether A is computed on the device: WebGPU, batches of a few passes, any form but SCRUB's loss and the
 * fold models' answers.
 */
export function takesOnDevice(
  { form, microBatch }: Pick<MetaObjective, "form" | "microBatch">,
  batches: readonly AuxiliaryBatch[],
): boolean {
  return form.terms !== "scrub" && form.align !== "folds" && hasKernel("LetheObjective") &&
    batches.every((batch) =>
      [batch.forget, batch.val, batch.keep].every(({ length }) =>
        length <= MOST_PASSES * microBatch
      )
    );
}

/** Images that a batch is filled up to a multiple of, so that few sizes of it are recorded. */
const FILLED = 8;

/** A batch's images on the device, the first of them again where they are fewer than `size`. */
async function termImages(
  indices: readonly number[],
  { source }: Pick<MetaObjective, "source">,
  size = indices.length,
): Promise<TermImages> {
  const filled = Array.from({ length: size }, (_, i) => indices[i < indices.length ? i : 0]);
  const { patches, targets } = await source.batch(filled);
  const weights = Float32Array.from(filled, (_, i) => i < indices.length ? 1 / indices.length : 0);
  return { patches, targets, weights: tf.tensor1d(weights) };
}

/**
 * A request's batches, uploaded in their order. The caller disposes each with {@link disposeBatch}.
 */
export async function deviceBatches(
  batches: readonly AuxiliaryBatch[],
  objective: MetaObjective,
): Promise<DeviceBatch[]> {
  const images = batches.reduce((sum, batch) => sum + batch.forget.length, 0);
  const uploaded: DeviceBatch[] = [];
  for (const batch of batches) uploaded.push(await deviceBatch(batch, objective, images));
  return uploaded;
}

/** @param images that are to be forgotten, in all batches */
async function deviceBatch(
  { forget, val, keep }: AuxiliaryBatch,
  objective: MetaObjective,
  images: number,
): Promise<DeviceBatch> {
  const original = (indices: readonly number[]) => {
    const measured = objective.original(indices);
    const labels = measured.labelLosses?.length ?? 0;
    return tf.tensor1d(originalRow(measured, labels));
  };
  const filled = Math.ceil(forget.length / FILLED) * FILLED;
  return {
    forget: await termImages(forget, objective, filled),
    ...objective.form.terms === "second" ? {} : { val: await termImages(val, objective) },
    original: original(val),
    ...keep.length > 0
      ? { keep: { ...await termImages(keep, objective), original: original(keep) } }
      : {},
    share: tf.scalar(forget.length / images),
  };
}

/** Frees what {@link deviceBatch} uploaded. */
export function disposeBatch({ forget, val, original, keep, share }: DeviceBatch): void {
  for (const images of [forget, val, keep]) {
    if (images) tf.dispose([images.patches, images.targets, images.weights]);
  }
  tf.dispose([original, share]);
  keep?.original.dispose();
}
