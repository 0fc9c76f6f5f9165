import type { ImageFeed } from "../../data/loader/image_source.ts";
import { taskMetric } from "../../measure/evaluation.ts";
import { labelLosses, meanLoss } from "../../measure/loss.ts";
import { openLogitRows } from "../../measure/logit_rows.ts";
import type { ModelConfig } from "../../model/config.ts";
import { predictEach } from "../../model/predict.ts";
import type { Weights } from "../../tensor/weights.ts";
import type { MetaObjective } from "../../unlearn/meta_unlearn/meta_objective.ts";
import type { OnProgress } from "../progress.ts";
import type { MetaLearnSettings } from "./settings.ts";

/**
 * The objective A (Eq. 5, 6) of a model on its images. The original model's logits are computed once
 * and kept on the host, as far as there are few, else in a file.
 *
 * @param theta stays the caller's
 * @param cached images on which theta's own losses will be asked for
 */
export async function metaObjective(
  theta: Weights,
  config: ModelConfig,
  source: ImageFeed,
  cached: readonly number[],
  settings: MetaLearnSettings,
  microBatch: number,
  onProgress?: OnProgress,
): Promise<MetaObjective & Disposable> {
  const { task, labels: { length: width } } = config;
  const { metaLearningRate, inputs, form, keepWeight } = settings;
  const logits = openLogitRows(width, cached.length);
  let done = 0;
  await predictEach(theta, config, source, cached, microBatch, (_, count, rows) => {
    logits.add(rows);
    done += count;
    const total = cached.length;
    onProgress?.({ stage: "cache the original model's losses", done, total, unit: "images" });
  }, "logits");
  const placeOf = placesOf(cached);
  const measure = (rows: Float32Array, indices: readonly number[]) => {
    const targets = source.targets(indices);
    return {
      loss: meanLoss(task, rows, targets, width),
      metric: taskMetric(task, rows, targets, width),
      ...(task === "multi-label" ? { labelLosses: labelLosses(rows, targets, width) } : {}),
    };
  };
  return {
    ...{ metaLearningRate, inputs, shape: config, microBatch, form, keepWeight, task, source },
    measure,
    original: (indices) => measure(logits.rows(indices.map(placeOf)), indices),
    [Symbol.dispose]: () => logits[Symbol.dispose](),
  };
}

/** Where an image stands in a list; of images that follow one another, as a rule, nothing is kept for it. */
function placesOf(images: readonly number[]): (image: number) => number {
  const [first] = images;
  if (images.every((image, i) => image === first + i)) return (image) => image - first;
  const places = new Map(images.map((image, i) => [image, i]));
  return (image) => places.get(image)!;
}
