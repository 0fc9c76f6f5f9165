import type { Model } from "../../lib/model/checkpoint.ts";
import { thetaShapes } from "../../lib/model/theta_shapes.ts";
import type { ModelConfig } from "../../lib/model/config.ts";
import type { Kit } from "../../lib/model/kit/kit.ts";
import { metaLossShapes } from "../../lib/model/meta_loss/meta_loss_shapes.ts";
import { META_LOSS_INPUTS } from "../../lib/model/meta_loss/meta_loss_inputs.ts";
import type { Weight } from "../../lib/model/safetensors.ts";

/** A model that is as small as one can be. */
export const SMALL_CONFIG: ModelConfig = {
  architecture: "vit",
  imageSize: 8,
  patchSize: 4,
  dim: 4,
  depth: 1,
  heads: 2,
  layerNormEps: 1e-6,
  mean: [0.5, 0.5, 0.5],
  std: [0.5, 0.25, 0.5],
  task: "multi-label",
  labels: ["smiling", "hat"],
};

/** Weights of these shapes that hold 0, 0.1, 0.2 and so on. */
export function countingWeights(
  shapes: ReadonlyMap<string, readonly number[]>,
): Map<string, Weight> {
  let next = 0;
  return new Map([...shapes].map(([name, shape]) => {
    const length = shape.reduce((a, b) => a * b, 1);
    const values = Float32Array.from({ length }, () => 0.1 * next++);
    return [name, { dtype: "F32", shape, values }];
  }));
}

/** A model of {@link SMALL_CONFIG}. */
export function smallModel(): Model {
  return {
    config: SMALL_CONFIG,
    theta: countingWeights(thetaShapes(SMALL_CONFIG, SMALL_CONFIG.labels.length)),
  };
}

/** A kit that knows these people, by keyed hash. */
export function smallKit(identities: readonly string[], learned: boolean): Kit {
  const model = smallModel();
  const metaLoss = { hidden: 3, embeddingSize: 2 };
  const phi = metaLossShapes({
    inputs: META_LOSS_INPUTS,
    labels: 2,
    dim: 4,
    identities: identities.length,
    ...metaLoss,
  });
  const scalars = new Map([...model.theta.keys()].map((name) => [name, []]));
  return {
    model,
    phi: countingWeights(phi),
    ...(learned ? { logStepSizes: countingWeights(scalars) } : {}),
    manifest: {
      generation: 0,
      parent: null,
      unlearning: {
        metaLearningRate: 0.1,
        requestSize: 2,
        inputs: META_LOSS_INPUTS,
        stepSizes: learned ? "learned" : "global",
      },
      metaLoss,
      identities,
      forgotten: [],
      record: { seed: 7, device: "none" },
    },
  };
}
