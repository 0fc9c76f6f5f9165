import type { Weight } from "../safetensors.ts";
import { thetaShapes } from "../theta_shapes.ts";
import type { VitShape } from "../vit.ts";

/** What SSD, PGU and influence need of the training images, on the host. */
export interface KitStatistics {
  /** By the names of theta. */
  readonly importances?: ReadonlyMap<string, Weight>;
  /** [in, in] by linear layer. */
  readonly covariances?: ReadonlyMap<string, Weight>;
}

/** The kit's files of statistics. */
export const STATISTICS_FILES = {
  importances: "importances.safetensors",
  covariances: "covariances.safetensors",
} as const;

/** What `kit.json` says of them. */
export interface StatisticsRecord {
  /** Training images that they were computed from. */
  readonly images: number;
  /** Images whose mean loss an importance squares the gradient of. */
  readonly batchSize: number;
  /** The kit has been through a request: they are of the model and the people before it. */
  readonly stale: boolean;
}

/** Names and shapes of the covariances: one per weight matrix, as wide as its input. */
export function covarianceShapes(shape: VitShape, labels: number): Map<string, number[]> {
  const matrices = [...thetaShapes(shape, labels)]
    .filter(([name, shape]) => name.endsWith(".weight") && shape.length > 1);
  return new Map(matrices.map(([name, [, ...input]]) => {
    const width = input.reduce((a, b) => a * b, 1);
    return [name.slice(0, -".weight".length), [width, width]];
  }));
}
