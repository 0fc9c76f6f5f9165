import { adamW, ADAMW_DEFAULTS } from "../../tensor/optimisers/adamw.ts";
import { activeWebgpu } from "../../tensor/recording/owned_tensor.ts";
import { disposeWeights, type Weights } from "../../tensor/weights.ts";
import { metaGradient } from "./meta_gradient.ts";
import type { MetaObjective } from "./meta_objective.ts";
import type { MetaParameters } from "./meta_parameters.ts";
import type { MetaStep } from "./meta_step.ts";
import { recordedMetaStep } from "./recorded_meta_step.ts";

/**
 * The step of the active device.
 *
 * @param theta stays the caller's, and as it is
 * @param parameters taken over
 */
export function metaStep(
  objective: MetaObjective,
  theta: Weights,
  parameters: MetaParameters,
): MetaStep {
  const backend = activeWebgpu();
  return backend && objective.form.terms !== "scrub" && objective.form.align !== "folds"
    ? recordedMetaStep(backend, objective, theta, parameters)
    : plainMetaStep(objective, theta, parameters);
}

/** A step that runs op by op (WASM, SCRUB's loss, and answers of fold models). */
function plainMetaStep(
  objective: MetaObjective,
  theta: Weights,
  initial: MetaParameters,
): MetaStep {
  const optimiser = adamW({ ...ADAMW_DEFAULTS, amsgrad: true });
  const stepSizeOptimiser = adamW({ ...ADAMW_DEFAULTS, amsgrad: true });
  let parameters = initial;
  return {
    get parameters() {
      return parameters;
    },
    get steps() {
      return optimiser.steps;
    },
    async take(support, batches, rates, onResult) {
      const { phi, logStepSizes } = parameters;
      const gradient = await metaGradient(theta, phi, support, batches, objective, logStepSizes);
      parameters = {
        phi: optimiser.step(phi, gradient.phi, rates.phi),
        ...(logStepSizes && gradient.logStepSizes
          ? {
            logStepSizes: stepSizeOptimiser.step(
              logStepSizes,
              gradient.logStepSizes,
              rates.stepSizes,
            ),
          }
          : {}),
      };
      for (const set of [gradient.phi, gradient.logStepSizes]) disposeWeights(set);
      onResult(gradient.value, gradient.forget.metric);
    },
    finish: () => Promise.resolve(),
    moments: () => ({ moments: optimiser.state(), stepSizeMoments: stepSizeOptimiser.state() }),
    restore(moments, stepSizeMoments, steps) {
      optimiser.restore(moments, steps);
      stepSizeOptimiser.restore(stepSizeMoments, steps);
    },
    dispose() {
      for (const set of [parameters.phi, parameters.logStepSizes]) disposeWeights(set);
      optimiser.dispose();
      stepSizeOptimiser.dispose();
    },
  };
}
