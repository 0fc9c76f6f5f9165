import type { ImageFeed } from "../data/loader/image_source.ts";
import type { Task } from "../data/sample.ts";
import { disposeWeights, type Weights } from "../tensor/weights.ts";
import { IMPORTANCE_BATCH } from "./importance_batch.ts";
import type { Backbone } from "./logit_gradient.ts";
import type { StatisticsChoice } from "./statistics_choice.ts";
import { inputCovariances } from "./compared/input_covariances.ts";
import { importances } from "./compared/ssd.ts";

/** What SSD, PGU and influence need to know of the training images: computed before these are deleted. */
export interface TrainingStatistics {
  /** Of theta's elements, for SSD and influence; by the names of theta. */
  readonly importances?: Weights;
  /** Of layer inputs, for PGU; by layer. */
  readonly covariances?: Weights;
}

/**
 * Computes the statistics of training images at theta: one pass forwards and backwards for the
 * importances, one forwards for the covariances.
 *
 * @param onImages called with the images done since, for each of the two
 * @returns what was chosen; the caller disposes it with {@link disposeStatistics}
 */
export async function trainingStatistics(
  choice: StatisticsChoice,
  theta: Weights,
  backbone: Backbone,
  task: Task,
  source: ImageFeed,
  indices: readonly number[],
  onImages?: (images: number) => void,
): Promise<TrainingStatistics> {
  if (choice === "none") return {};
  const batch = IMPORTANCE_BATCH;
  const own = await importances(theta, backbone, task, source, indices, batch, { onImages });
  if (choice === "importances") return { importances: own };
  return {
    importances: own,
    covariances: await inputCovariances(theta, backbone, source, indices, { onImages }),
  };
}

/** Frees statistics. */
export function disposeStatistics(statistics: TrainingStatistics | undefined): void {
  disposeWeights(statistics?.importances);
  disposeWeights(statistics?.covariances);
}
