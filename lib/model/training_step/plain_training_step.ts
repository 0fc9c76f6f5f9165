import * as tf from "@tensorflow/tfjs";
import { adamW, ADAMW_DEFAULTS } from "../../tensor/optimisers/adamw.ts";
import type { Optimiser } from "../../tensor/optimisers/optimiser.ts";
import { sgd } from "../../tensor/optimisers/sgd.ts";
import { Reads } from "../../tensor/reads.ts";
import { accumulate, disposeWeights, mapWeights, type Weights } from "../../tensor/weights.ts";
import type { TrainingRecipe } from "../recipes.ts";
import { lossAndGradients } from "./loss_and_gradients.ts";
import { decays, type StepSettings, type TrainingStep } from "./training_step.ts";

function optimiserOf({ optimiser, weightDecay, momentum }: TrainingRecipe): Optimiser {
  if (optimiser === "sgd") return sgd({ momentum, weightDecay });
  return adamW({ ...ADAMW_DEFAULTS, weightDecay, decays });
}

/** A training step that runs op by op, its optimiser tensor by tensor (WASM). */
export function plainTrainingStep(settings: StepSettings, initial: Weights): TrainingStep {
  const { recipe, microBatch } = settings;
  const optimiser = optimiserOf(recipe);
  let theta = initial;
  const reads = new Reads();
  return {
    get theta() {
      return theta;
    },
    get steps() {
      return optimiser.steps;
    },
    async take(input, images, learningRate, onLoss) {
      const pieces = Math.ceil(images / microBatch);
      const losses: number[] = [];
      let read = 0;
      let gradients: Weights | null = null;
      for (let i = 0; i < pieces; i++) {
        const batch = (await input.next()).value!;
        const share = Math.min(images - i * microBatch, microBatch) / images;
        const part = lossAndGradients(settings, theta, batch, share);
        tf.dispose([batch.patches, batch.targets]);
        const value = part.value.data();
        gradients = accumulate(gradients, part.gradients);
        await reads.add(value.then(([loss]) => {
          part.value.dispose();
          losses[i] = loss;
          if (++read === pieces) onLoss(losses.reduce((a, b) => a + b));
        }));
      }
      theta = optimiser.step(theta, gradients!, learningRate);
      disposeWeights(gradients);
    },
    finish: () => reads.finish(),
    copy: () => mapWeights(theta, tf.clone),
    moments: () => optimiser.state(),
    restore: (moments, steps) => optimiser.restore(moments, steps),
    dispose() {
      disposeWeights(theta);
      optimiser.dispose();
    },
  };
}
