import * as tf from "@tensorflow/tfjs";
import type { ImageFeed } from "../../data/loader/image_source.ts";
import type { ModelConfig } from "../../model/config.ts";
import { initialMetaLoss } from "../../model/meta_loss/meta_loss.ts";
import { predict } from "../../model/predict.ts";
import type { Random } from "../../random.ts";
import { disposeWeights, mapWeights, type Weights } from "../../tensor/weights.ts";
import { ascentStart } from "../../unlearn/meta_unlearn/ascent_start.ts";
import type { MetaParameters } from "../../unlearn/meta_unlearn/meta_learn.ts";
import type { Person } from "../../unlearn/meta_unlearn/simulate_requests.ts";
import type { OnProgress } from "../progress.ts";
import type { MetaLearnSettings } from "./settings.ts";

/** What {@link initialParameters} starts from. */
export interface MetaLearningStart {
  readonly theta: Weights;
  readonly config: ModelConfig;
  readonly source: ImageFeed;
  /** Embedding rows: all people of the training part. */
  readonly identities: number;
  /** The people that the ascent start is fitted on. */
  readonly trained: readonly Person[];
  readonly microBatch: number;
  readonly onProgress?: OnProgress | undefined;
}

/** Images that the ascent start is fitted to at most: as many as its steps draw. */
const ASCENT_IMAGES = 12_800;

/**
 * phi at random, or fitted to gradient ascent on the task loss, and log s_k = 0 where step sizes are
 * learned.
 *
 * @returns owned by the caller
 */
export async function initialParameters(
  { theta, config, source, identities, trained, microBatch, onProgress }: MetaLearningStart,
  { inputs, embeddingSize, hidden, start, stepSizeLearningRate }: MetaLearnSettings,
  random: Random,
): Promise<MetaParameters> {
  const { task, dim, labels: { length: labels } } = config;
  const sizes = { inputs, labels, dim, identities, embeddingSize, hidden };
  let phi = initialMetaLoss(sizes, random.fork("initial phi"));
  if (start === "ascent") {
    const everything = trained.flatMap(({ row, images }) =>
      images.map((image) => ({ row, image }))
    );
    const shown = everything.length <= ASCENT_IMAGES
      ? everything
      : random.fork("ascent images").shuffle(everything).slice(0, ASCENT_IMAGES);
    const seen = shown.map(({ image }) => image);
    const fresh = phi;
    phi = await ascentStart(
      fresh,
      inputs,
      {
        ...await predict(theta, config, source, seen, microBatch),
        ...{ task, labels, dim },
        targets: source.targets(seen),
        rows: shown.map(({ row }) => row),
      },
      random.fork("ascent start"),
      (done, total) => {
        onProgress?.({ stage: "start from gradient ascent", done, total, unit: "steps" });
      },
    );
    disposeWeights(fresh);
  }
  if (stepSizeLearningRate === null) return { phi };
  return { phi, logStepSizes: mapWeights(theta, () => tf.scalar(0)) };
}
