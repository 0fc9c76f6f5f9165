import type { Kit } from "../../lib/model/kit/kit.ts";
import { covarianceShapes } from "../../lib/model/kit/kit_statistics.ts";
import type { Weight } from "../../lib/model/safetensors.ts";
import { thetaShapes } from "../../lib/model/theta_shapes.ts";
import { Random } from "../../lib/random.ts";
import { SMALL_CONFIG, smallKit } from "./small_kit.ts";

/** Weights of these shapes, drawn. */
function drawn(
  shapes: ReadonlyMap<string, readonly number[]>,
  draw: () => number,
): Map<string, Weight> {
  return new Map([...shapes].map(([name, shape]) => {
    const length = shape.reduce((a, b) => a * b, 1);
    return [name, { dtype: "F32", shape, values: Float32Array.from({ length }, draw) }];
  }));
}

/** A kit with all that SSD, PGU and influence need, and settings for each method. */
export function kitWithStatistics(identities: readonly string[]): Kit {
  const random = new Random(4, "kit with statistics");
  const kit = smallKit(identities, false);
  const labels = SMALL_CONFIG.labels.length;
  const theta = thetaShapes(SMALL_CONFIG, labels);
  return {
    ...kit,
    model: { ...kit.model, theta: drawn(theta, () => random.normal() / 2) },
    phi: drawn(
      new Map([...kit.phi].map(([name, { shape }]) => [name, shape])),
      () => random.normal(),
    ),
    statistics: {
      importances: drawn(theta, () => random.uniform() / 1000),
      covariances: drawn(covarianceShapes(SMALL_CONFIG, labels), () => random.uniform()),
    },
    manifest: {
      ...kit.manifest,
      methods: {
        source: "a test",
        ssd: { selection: 0.5, dampening: 0.25 },
        pgu: { learningRate: 0.1, epochs: 2, gamma: 0.5 },
        influence: { learningRate: 1e-4, damping: 0.5 },
        jit: { learningRate: 0.01, noise: 0.5, draws: 3 },
      },
      statistics: { images: 12, batchSize: 4, stale: false },
    },
  };
}
