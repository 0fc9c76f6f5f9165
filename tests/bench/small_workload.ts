import type { WorkloadSettings } from "../../lib/bench/workload.ts";

/** Sizes that take no time. */
export const SMALL_WORKLOAD: WorkloadSettings = {
  shape: { imageSize: 8, patchSize: 4, dim: 16, depth: 2, heads: 2, layerNormEps: 1e-6 },
  batch: 4,
  support: 3,
  labels: 5,
  hidden: 12,
};
