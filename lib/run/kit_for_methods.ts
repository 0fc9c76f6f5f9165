import type { ImageSource } from "../data/image_source.ts";
import type { Task } from "../data/sample.ts";
import type { Split } from "../data/split.ts";
import { downloadWeights } from "../model/device_weights.ts";
import type { KitStatistics, StatisticsRecord } from "../model/kit_statistics.ts";
import type { KitMethodSettings } from "../model/method_settings.ts";
import type { Weights } from "../tensor/weights.ts";
import type { Backbone } from "../unlearn/logit_gradient.ts";
import { publishedLayout, publishedSettings } from "../unlearn/method_recipes.ts";
import {
  disposeStatistics,
  IMPORTANCE_BATCH,
  type StatisticsChoice,
  trainingStatistics,
} from "../unlearn/training_statistics.ts";
import type { OnProgress } from "./progress.ts";

/** The trained model and its training images, while they are there. */
export interface TrainedOn extends Backbone {
  readonly theta: Weights;
  readonly task: Task;
  readonly source: ImageSource;
  /** Training images of `source`, in the order in which they are taken in batches. */
  readonly images: readonly number[];
  readonly onProgress?: OnProgress;
}

/** Computes what a kit holds for SSD and PGU, and what `kit.json` says of it; null for none. */
export async function kitStatistics(
  choice: StatisticsChoice,
  { theta, task, source, images, onProgress, ...backbone }: TrainedOn,
): Promise<{ statistics: KitStatistics; record: StatisticsRecord } | null> {
  if (choice === "none") return null;
  const total = (choice === "all" ? 2 : 1) * images.length;
  let done = 0;
  const onImages = (count: number) => {
    done += count;
    onProgress?.({ stage: "statistics for SSD and PGU", done, total, unit: "images" });
  };
  const computed = await trainingStatistics(
    choice,
    theta,
    backbone,
    task,
    source,
    images,
    onImages,
  );
  const { importances, covariances } = computed;
  const statistics = {
    ...(importances ? { importances: await downloadWeights(importances) } : {}),
    ...(covariances ? { covariances: await downloadWeights(covariances) } : {}),
  };
  disposeStatistics(computed);
  const record = { images: images.length, batchSize: IMPORTANCE_BATCH, stale: false };
  return { statistics, record };
}

/** The published settings of SSD, PGU and JiT for a split's data set and number of people to forget. */
export function kitMethods({ dataset: { name }, forgetCount }: Split): KitMethodSettings {
  const of = <Method extends "ssd" | "pgu" | "jit">(method: Method) =>
    publishedSettings(method, name, forgetCount);
  return {
    source: `published for ${publishedLayout(name)} and ${forgetCount} people to forget`,
    ssd: of("ssd"),
    pgu: of("pgu"),
    jit: of("jit"),
  };
}
