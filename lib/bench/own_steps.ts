import * as tf from "@tensorflow/tfjs";
import type { ImageBatch } from "../data/loader/image_source.ts";
import { TRAINING_RECIPES, type TrainingRecipe } from "../model/recipes.ts";
import { trainingStep } from "../model/training_step/open_training_step.ts";
import { mapWeights } from "../tensor/weights.ts";
import type { Run } from "./compare.ts";
import { finish } from "./finish.ts";
import { letheSteps } from "./lethe_steps.ts";
import type { StepName } from "./step_report.ts";
import type { Workload } from "./workload.ts";

/** Of PyTorch's SGD beside which training is timed, too. */
const LEARNING_RATE = 1e-3;
const SGD: TrainingRecipe = {
  ...TRAINING_RECIPES[0],
  optimiser: "sgd",
  momentum: 0.9,
  weightDecay: 1e-3,
};

/** Steps that can be taken any number of times. */
export interface OwnSteps {
  readonly runs: Readonly<Record<StepName, Run>>;
  /** The loss of each training step, in order. */
  readonly losses: readonly number[];
  dispose(): void;
}

/**
 * Steps as a run takes them, one after the other: training with its optimiser, recorded where that can
 * be; a batch's images come from the host each time.
 */
export function ownSteps(workload: Workload): OwnSteps {
  const { theta, objective, images, batch, shape } = workload;
  const { source, task } = objective;
  const steps = letheSteps(workload);
  const training = trainingStep(
    { recipe: SGD, task, shape, microBatch: batch },
    mapWeights(theta, tf.clone),
  );
  const losses: number[] = [];
  const input: AsyncIterator<ImageBatch, void> = {
    next: () => Promise.resolve({ done: false, value: source.batch(images.forget) }),
  };
  const repeated = (step: () => Promise<void>): Run => async (times) => {
    for (let i = 0; i < times; i++) await step();
  };
  return {
    losses,
    runs: {
      async training(times) {
        for (let i = 0; i < times; i++) {
          await training.take(input, batch, LEARNING_RATE, (loss) => losses.push(loss));
        }
        await training.finish();
      },
      evaluation: repeated(async () => void await steps.evaluation(images.forget)),
      unlearning: repeated(async () => finish(...Object.values(await steps.unlearningStep()))),
      meta: repeated(async () => finish(...Object.values(await steps.metaStep()))),
    },
    dispose() {
      training.dispose();
      steps.dispose();
    },
  };
}
