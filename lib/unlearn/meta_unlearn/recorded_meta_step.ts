import * as tf from "@tensorflow/tfjs";
import type { LetheBackend } from "../../tensor/backend/lethe_backend.ts";
import { ADAMW_DEFAULTS } from "../../tensor/optimisers/adamw.ts";
import { adamWOf } from "../../tensor/optimisers/in_place.ts";
import { Gathered } from "../../tensor/recording/gathered.ts";
import { Recorded } from "../../tensor/recording/recorded.ts";
import type { Tensors } from "../../tensor/recording/recording.ts";
import { disposeWeights, type Weights } from "../../tensor/weights.ts";
import { deviceBatches, takesOnDevice } from "./device_batch.ts";
import { inputsOf, requestOf } from "./meta_step_inputs.ts";
import { metaGradient, queueMetaGradient } from "./meta_gradient.ts";
import type { MetaObjective } from "./meta_objective.ts";
import { disposeParameters, type MetaParameters } from "./meta_parameters.ts";
import type { MetaStep } from "./meta_step.ts";
import { selected } from "./selected_rows.ts";

const AMSGRAD = { ...ADAMW_DEFAULTS, amsgrad: true };

/**
 * The whole meta step, recorded once per shape and replayed: inner step, unlearned weights, auxiliary
 * passes with their metrics, tangents, the gradient of phi and its optimiser (WebGPU).
 */
export function recordedMetaStep(
  backend: LetheBackend,
  objective: MetaObjective,
  theta: Weights,
  initial: MetaParameters,
): MetaStep {
  const optimiser = adamWOf(backend, initial.phi, AMSGRAD);
  const sizes = initial.logStepSizes && adamWOf(backend, initial.logStepSizes, AMSGRAD);
  disposeParameters(initial);
  const parameters: MetaParameters = {
    phi: optimiser.weights,
    ...sizes ? { logStepSizes: sizes.weights } : {},
  };
  const results = new Gathered();
  const update = (
    gradient: { phi: Weights; logStepSizes?: Weights | undefined },
    numbers: tf.Tensor,
    sizeNumbers: tf.Tensor | undefined,
  ) => {
    optimiser.step(gradient.phi, numbers);
    if (gradient.logStepSizes) sizes?.step(gradient.logStepSizes, sizeNumbers!);
    for (const set of [gradient.phi, gradient.logStepSizes]) disposeWeights(set);
  };
  const step = new Recorded(({ numbers, sizeNumbers, ...inputs }: Tensors) => {
    const { support, batches } = requestOf(inputs);
    const { measured, ...gradient } = queueMetaGradient(
      theta,
      parameters.phi,
      support,
      batches,
      objective,
      parameters.logStepSizes,
    );
    update(gradient, numbers, sizeNumbers);
    return { measured };
  });
  return {
    parameters,
    get steps() {
      return optimiser.steps;
    },
    async take(support, batches, rates, onResult) {
      const rows = selected(support, parameters.phi);
      const numbers = optimiser.begin(rates.phi);
      const sizeNumbers = sizes?.begin(rates.stepSizes);
      const own: Record<string, tf.Tensor> = { numbers, ...sizeNumbers ? { sizeNumbers } : {} };
      if (rows.selection) own.selection = rows.selection;
      if (takesOnDevice(objective, batches)) {
        const uploaded = await deviceBatches(batches, objective);
        const inputs = inputsOf(rows, uploaded);
        const { measured } = step.run({ ...inputs, ...own });
        const shared = new Set<tf.Tensor>([support.patches, support.targets]);
        if (support.dropout) shared.add(support.dropout);
        tf.dispose(Object.values({ ...inputs, ...own }).filter((tensor) => !shared.has(tensor)));
        return await results.add([measured], ([value, , metric]) => onResult(value, metric));
      }
      const { phi, logStepSizes } = parameters;
      const gradient = await metaGradient(theta, phi, rows, batches, objective, logStepSizes);
      update(gradient, numbers, sizeNumbers);
      tf.dispose(Object.values(own));
      await results.finish();
      onResult(gradient.value, gradient.forget.metric);
    },
    finish: () => results.finish(),
    moments: () => ({ moments: optimiser.state(), stepSizeMoments: sizes?.state() ?? {} }),
    restore(moments, stepSizeMoments, steps) {
      optimiser.restore(moments, steps);
      sizes?.restore(stepSizeMoments, steps);
    },
    dispose() {
      step.dispose();
      optimiser.dispose();
      sizes?.dispose();
    },
  };
}
