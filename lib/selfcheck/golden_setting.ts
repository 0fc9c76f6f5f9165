import * as tf from "@tensorflow/tfjs";
import type { ImageSource } from "../data/loader/image_source.ts";
import { uploadWeights } from "../model/device_weights.ts";
import type { Weights } from "../tensor/weights.ts";
import type { Golden } from "./golden.ts";
import { goldenParts } from "./golden_images.ts";

/** The golden model and images on the device: what every method is checked on. */
export interface GoldenSetting {
  readonly golden: Golden;
  readonly theta: Weights;
  readonly backbone: { readonly shape: Golden["shape"]; readonly microBatch: number };
  readonly source: ImageSource;
  /** Images of `source`, by what they are to the split. */
  readonly train: readonly number[];
  readonly support: readonly number[];
  readonly forget: readonly number[];
}

/**
 * Runs a check on the golden model and images.
 *
 * @param microBatch images per pass; smaller ones check that passes add up to the whole batch
 * @returns what the check gives; all tensors that it makes are freed, but for those that are kept
 */
export async function onGoldenSetting<T>(
  golden: Golden,
  microBatch: number,
  check: (setting: GoldenSetting) => Promise<T>,
): Promise<T> {
  const engine = tf.engine();
  engine.startScope();
  try {
    const { source, indices: [train, support, forget] } = goldenParts(
      golden,
      "train",
      "support",
      "forget",
    );
    return await check({
      golden,
      theta: uploadWeights(golden.model),
      backbone: { shape: golden.shape, microBatch },
      source,
      ...{ train, support, forget },
    });
  } finally {
    engine.endScope();
  }
}
