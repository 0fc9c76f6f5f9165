import * as tf from "@tensorflow/tfjs";
import { sgdOf } from "../../tensor/optimisers/in_place.ts";
import { sgd, type SgdSettings } from "../../tensor/optimisers/sgd.ts";
import { Gathered } from "../../tensor/recording/gathered.ts";
import { activeWebgpu } from "../../tensor/recording/owned_tensor.ts";
import { Recorded } from "../../tensor/recording/recorded.ts";
import type { Tensors } from "../../tensor/recording/recording.ts";
import { disposeWeights, mapWeights, type Weights } from "../../tensor/weights.ts";

/** A loss of the student on a batch, and its gradient; may depend on nothing that changes but these. */
export type StudentGradient = (
  theta: Weights,
  batch: Tensors,
) => { value: tf.Tensor; gradients: Weights };

/** One step down a loss. @param batch freed here @param onDone called when it is done */
export type StudentStep = (
  batch: Tensors,
  learningRate: number,
  onDone?: () => void,
) => Promise<void>;

/** A model that SGD drives down one loss or several, in steps that are recorded where they can be. */
export interface Student {
  /** Steps down a loss. */
  down(gradient: StudentGradient): StudentStep;
  /** Waits for all steps, and frees all but the student, the caller's. */
  finish(): Promise<Weights>;
}

/** @param initial stays the caller's */
export function studentOf(initial: Weights, settings: SgdSettings): Student {
  const results = new Gathered();
  const backend = activeWebgpu();
  if (!backend) return plainStudent(initial, settings, results);
  const optimiser = sgdOf(backend, initial, settings);
  const steps: Recorded<Tensors, { value: tf.Tensor }>[] = [];
  return {
    down(gradient) {
      const step = new Recorded(({ numbers, ...batch }: Tensors) => {
        const { value, gradients } = gradient(optimiser.weights, batch);
        optimiser.step(gradients, numbers);
        disposeWeights(gradients);
        return { value };
      });
      steps.push(step);
      return async (batch, learningRate, onDone) => {
        const numbers = optimiser.begin(learningRate);
        const { value } = step.run({ ...batch, numbers });
        tf.dispose([...Object.values(batch), numbers]);
        await results.add([value], () => onDone?.());
      };
    },
    async finish() {
      await results.finish();
      const theta = mapWeights(optimiser.weights, tf.clone);
      for (const each of [...steps, optimiser]) each.dispose();
      return theta;
    },
  };
}

/** Op by op, tensor by tensor (WASM). */
function plainStudent(initial: Weights, settings: SgdSettings, results: Gathered): Student {
  const optimiser = sgd(settings);
  let theta = mapWeights(initial, tf.clone);
  return {
    down: (gradient) => async (batch, learningRate, onDone) => {
      const { value, gradients } = gradient(theta, batch);
      theta = optimiser.step(theta, gradients, learningRate);
      disposeWeights(gradients);
      await results.add([value], () => onDone?.());
      tf.dispose([value, ...Object.values(batch)]);
    },
    async finish() {
      await results.finish();
      optimiser.dispose();
      return theta;
    },
  };
}
