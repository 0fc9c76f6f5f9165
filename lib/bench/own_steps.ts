import * as tf from "@tensorflow/tfjs";
import type { ImageBatch } from "../data/loader/image_source.ts";
import { TRAINING_RECIPES, type TrainingRecipe } from "../model/recipes.ts";
import { predict, Predictor } from "../model/predict.ts";
import { disposeSupport } from "../unlearn/meta_unlearn/support.ts";
import { metaStep } from "../unlearn/meta_unlearn/open_meta_step.ts";
import { trainingStep } from "../model/training_step/open_training_step.ts";
import { mapWeights } from "../tensor/weights.ts";
import type { Run } from "./compare.ts";
import { finish } from "./finish.ts";
import { letheSteps } from "./lethe_steps.ts";
import type { StepName } from "./step_report.ts";
import type { Workload } from "./workload.ts";

/** Of PyTorch's optimisers beside which the steps are timed, too. */
const LEARNING_RATE = 1e-3;
const META_RATES = { phi: 1e-4, stepSizes: 0 };
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

/** Something to dispose that is made when it is first asked for. */
function once<T extends { dispose(): void }>(make: () => T) {
  let made: T | undefined;
  return { get: () => made ??= make(), dispose: () => made?.dispose() };
}

/**
 * Steps as a run takes them, one after the other: training and meta step with their optimisers, recorded
 * where that can be; a batch's images come from the host each time, a request's people are there.
 */
export function ownSteps(workload: Workload): OwnSteps {
  const { theta, phi, objective, images, batch, shape } = workload;
  const { source, task } = objective;
  const steps = letheSteps(workload);
  // Each is made when it is first taken: what one step's memory is, the others' have no part in.
  const training = once(() =>
    trainingStep(
      { recipe: SGD, task, shape, microBatch: batch },
      mapWeights(theta, tf.clone),
    )
  );
  const meta = once(() => metaStep(objective, theta, { phi: mapWeights(phi, tf.clone) }));
  const support = { ...source.batch(images.support), rows: images.support.map((_, row) => row) };
  const predictor = new Predictor(shape);
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
          await training.get().take(input, batch, LEARNING_RATE, (loss) => losses.push(loss));
        }
        await training.get().finish();
      },
      async evaluation(times) {
        const all = Array.from({ length: times }, () => images.forget).flat();
        await predict(theta, shape, source, all, batch, undefined, "logits", predictor);
      },
      unlearning: repeated(async () => finish(...Object.values(await steps.unlearningStep()))),
      async meta(times) {
        const batches = [{ forget: images.forget, val: images.val, keep: [] }];
        for (let i = 0; i < times; i++) {
          await meta.get().take(support, batches, META_RATES, () => {});
        }
        await meta.get().finish();
      },
    },
    dispose() {
      training.dispose();
      predictor.dispose();
      meta.dispose();
      disposeSupport(support);
      steps.dispose();
    },
  };
}
