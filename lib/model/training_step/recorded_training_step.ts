import * as tf from "@tensorflow/tfjs";
import type { LetheBackend } from "../../tensor/backend/lethe_backend.ts";
import { ADAMW_DEFAULTS } from "../../tensor/optimisers/adamw.ts";
import { adamWOf, type InPlaceOptimiser, sgdOf } from "../../tensor/optimisers/in_place.ts";
import { Gathered } from "../../tensor/recording/gathered.ts";
import { Recorded } from "../../tensor/recording/recorded.ts";
import type { Forms, Tensors } from "../../tensor/recording/recording.ts";
import { accumulate, disposeWeights, mapWeights, type Weights } from "../../tensor/weights.ts";
import type { TrainingRecipe } from "../recipes.ts";
import { lossAndGradients } from "./loss_and_gradients.ts";
import { decays, type StepSettings, type TrainingStep } from "./training_step.ts";

function optimiserOf(
  backend: LetheBackend,
  { optimiser, weightDecay, momentum }: TrainingRecipe,
  initial: Weights,
): InPlaceOptimiser {
  if (optimiser === "sgd") return sgdOf(backend, initial, { momentum, weightDecay });
  return adamWOf(backend, initial, { ...ADAMW_DEFAULTS, weightDecay, decays });
}

/**
 * A training step that is recorded once and replayed: forward, backward, accumulation and the optimiser,
 * on weights and moments in pieces (WebGPU).
 */
export function recordedTrainingStep(
  backend: LetheBackend,
  settings: StepSettings,
  initial: Weights,
): TrainingStep {
  const { recipe, microBatch } = settings;
  const optimiser = optimiserOf(backend, recipe, initial);
  disposeWeights(initial);
  const losses = new Gathered();
  // Inputs: the optimiser's numbers and, per micro-batch i, `patches i` and `targets i`.
  const step = new Recorded(({ numbers, ...batches }: Tensors) => {
    const pieces = Object.keys(batches).length / 2;
    const parts = Array.from({ length: pieces }, (_, i) => ({
      patches: batches[`patches ${i}`],
      targets: batches[`targets ${i}`],
    }));
    const images = parts.reduce((sum, { targets }) => sum + targets.shape[0], 0);
    let loss: tf.Tensor | null = null;
    let gradients: Weights | null = null;
    for (const part of parts) {
      const share = part.targets.shape[0] / images;
      const own = lossAndGradients(settings, optimiser.weights, part, share);
      loss = loss ? tf.add<tf.Tensor>(loss, own.value) : own.value;
      gradients = accumulate(gradients, own.gradients);
    }
    optimiser.step(gradients!, numbers);
    disposeWeights(gradients);
    return { loss: loss! };
  });
  return {
    theta: optimiser.weights,
    get steps() {
      return optimiser.steps;
    },
    prepare(images, formOf) {
      const { imageSize, patchSize } = settings.shape;
      const forms: Record<string, Forms[string]> = {};
      const numbers = (shape: number[]) => ({ shape, dtype: "float32" as const });
      for (let i = 0; i < Math.ceil(images / microBatch); i++) {
        const own = Math.min(microBatch, images - i * microBatch);
        const rows = own * (imageSize / patchSize) ** 2;
        forms[`patches ${i}`] = formOf?.(own) ?? numbers([rows, 3 * patchSize ** 2]);
        forms[`targets ${i}`] = numbers([own, optimiser.weights["head.bias"].size]);
      }
      step.prepare({ ...forms, numbers: numbers([optimiser.numbers]) });
    },
    async take(input, images, learningRate, onLoss) {
      const inputs: Record<string, tf.Tensor> = {};
      for (let i = 0; i < Math.ceil(images / microBatch); i++) {
        const batch = (await input.next()).value!;
        inputs[`patches ${i}`] = batch.patches;
        inputs[`targets ${i}`] = batch.targets;
      }
      inputs.numbers = optimiser.begin(learningRate);
      const { loss } = step.run(inputs);
      tf.dispose(Object.values(inputs));
      await losses.add([loss], ([value]) => onLoss(value));
    },
    finish: () => losses.finish(),
    copy: () => mapWeights(optimiser.weights, tf.clone),
    moments: () => optimiser.state(),
    restore: (moments, steps) => optimiser.restore(moments, steps),
    dispose() {
      step.dispose();
      optimiser.dispose();
    },
  };
}
