import * as tf from "@tensorflow/tfjs";
import {
  batchesOf,
  type BatchStream,
  chunks,
  type ImageFeed,
} from "../data/loader/image_source.ts";
import { plain } from "../tensor/algebra.ts";
import { checkDevice } from "../tensor/device_fault.ts";
import { Reads } from "../tensor/reads.ts";
import type { Weights } from "../tensor/weights.ts";
import { vit, type VitShape } from "./vit.ts";

/** What the model says of n images, on the host, row after row. */
export interface Predictions {
  /** [n, labels] */
  readonly logits: Float32Array;
  /** CLS feature after the final norm, [n, dim]. */
  readonly features: Float32Array;
}

/**
 * f_theta without gradients, `microBatch` images at a time.
 *
 * @param indices images of `source`
 * @param wanted without features, these are empty: of many images they take more room than the logits
 * @returns host arrays; no tensor is left on the device
 * @throws {LetheError} the device was lost or failed
 */
export async function predict(
  theta: Weights,
  shape: VitShape,
  source: ImageFeed | BatchStream,
  indices: readonly number[],
  microBatch: number,
  onBatch?: (images: number) => void,
  wanted: "both" | "logits" = "both",
): Promise<Predictions> {
  const labels = theta["head.bias"].size;
  const logits = new Float32Array(indices.length * labels);
  const features = new Float32Array(wanted === "both" ? indices.length * shape.dim : 0);
  const reads = new Reads();
  let done = 0;
  for await (const batch of batchesOf(source, chunks(indices, microBatch))) {
    const images = batch.targets.shape[0];
    const output = tf.tidy(() => ({ ...vit(plain, theta, batch.patches, shape) }));
    tf.dispose([batch.patches, batch.targets]);
    const read = [output.logits.data(), ...wanted === "both" ? [output.features.data()] : []];
    const first = done;
    await reads.add(
      Promise.all(read).then(([logitRows, featureRows]) => {
        tf.dispose([output.logits, output.features]);
        logits.set(logitRows as Float32Array, first * labels);
        if (featureRows) features.set(featureRows as Float32Array, first * shape.dim);
        onBatch?.(images);
      }),
    );
    done += images;
  }
  await reads.finish();
  checkDevice();
  return { logits, features };
}
