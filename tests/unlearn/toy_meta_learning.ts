import * as tf from "@tensorflow/tfjs";
import type { ImageFeed } from "../../lib/data/loader/image_source.ts";
import { activeWebgpu } from "../../lib/tensor/recording/owned_tensor.ts";
import { disposeWeights, mapWeights, type Weights } from "../../lib/tensor/weights.ts";
import type { MetaObjective } from "../../lib/unlearn/meta_unlearn/meta_objective.ts";
import {
  disposeParameters,
  metaLearn,
  type MetaLearning,
  type MetaLearningRecipe,
  type MetaLearningState,
  type MetaParameters,
} from "../../lib/unlearn/meta_unlearn/meta_learn.ts";
import { onHost } from "../tensor/directions.ts";
import { memorisedToy, PEOPLE, VALIDATION } from "./memorised_toy.ts";
import { TOY_HIDDEN } from "./toy_objective.ts";

/** The paper's kind of run, small: two requests to an epoch. */
export const RECIPE: MetaLearningRecipe = {
  requestSize: 3,
  epochs: 3,
  learningRate: 0.003,
  batchSize: 12,
  dropout: 0,
  keep: "none",
  stepSizeLearningRate: null,
};
/** Dv: all images of validation people. */
export const VAL = VALIDATION.flatMap(({ images }) => images);
/** Row of the training person an image is of; -1 for validation images. */
export const ownerOf = (image: number) => PEOPLE.findIndex(({ images }) => images.includes(image));

/** A meta-learning run on the toy, whose memorised people stand out from the validation people. */
export async function toyRun(recipe: Partial<MetaLearningRecipe> = {}) {
  const toy = await memorisedToy();
  const learning: MetaLearning = {
    recipe: { ...RECIPE, ...recipe },
    objective: { ...toy.objective, metaLearningRate: 0.03 },
    seed: 5,
    people: PEOPLE,
    val: VAL,
    hidden: TOY_HIDDEN,
  };
  const initial: MetaParameters = {
    phi: toy.phi,
    ...(learning.recipe.stepSizeLearningRate === null
      ? {}
      : { logStepSizes: mapWeights(toy.theta, () => tf.scalar(0)) }),
  };
  const dispose = () => {
    disposeWeights(toy.theta);
    disposeParameters(initial);
  };
  return { theta: toy.theta, learning, initial, dispose };
}

/** Parameters on the host, to be compared bit for bit. */
export async function bitsOf({ phi, logStepSizes }: MetaParameters) {
  return { phi: await onHost(phi), logStepSizes: await onHost(logStepSizes ?? {}) };
}

/** A run to its end: what comes out, and a copy of the state after each epoch. */
export async function runWhole(
  theta: Weights,
  learning: MetaLearning,
  initial: MetaParameters,
  from?: MetaLearningState,
) {
  const copy = (weights: Weights) => mapWeights(weights, tf.clone);
  const copyParameters = ({ phi, logStepSizes }: MetaParameters): MetaParameters => ({
    phi: copy(phi),
    ...(logStepSizes ? { logStepSizes: copy(logStepSizes) } : {}),
  });
  const states: MetaLearningState[] = [];
  const { parameters, history } = await metaLearn(
    {
      ...learning,
      onEpoch: (state) => {
        states.push({
          history: [...state.history],
          parameters: copyParameters(state.parameters),
          best: copyParameters(state.best),
          moments: copy(state.moments),
          stepSizeMoments: copy(state.stepSizeMoments),
          steps: state.steps,
        });
        return Promise.resolve();
      },
    },
    theta,
    initial,
    from,
  );
  const result = { bits: await bitsOf(parameters), history };
  disposeParameters(parameters);
  return { ...result, states };
}

/** Frees a copied state that no run took over. */
export function disposeState(
  { parameters, best, moments, stepSizeMoments }: MetaLearningState,
): void {
  for (const set of [parameters, best]) disposeParameters(set);
  for (const set of [moments, stepSizeMoments]) disposeWeights(set);
}

/** What a run asked its sources and measures for, request by request. */
export interface Asked {
  readonly support: readonly number[];
  /** Images measured after the step: those of Df, each followed by those of K where there are any. */
  readonly measured: (readonly number[])[];
  /** Images whose original loss was wanted: those of Dv, each followed by those of K. */
  readonly original: (readonly number[])[];
}

/** The same run, and a list that fills with what it asks for. */
export function observed(learning: MetaLearning): { learning: MetaLearning; asked: Asked[] } {
  const asked: Asked[] = [];
  const { objective } = learning;
  const { source } = objective;
  const spy: MetaObjective = {
    ...objective,
    // WebGPU measures on the device: what it measures is what it loads, filled up with its first image.
    source: activeWebgpu() === null ? source : {
      ...source,
      batch(indices) {
        asked.at(-1)!.measured.push([...new Set(indices)]);
        return source.batch(indices);
      },
    },
    measure(logits, indices) {
      asked.at(-1)!.measured.push(indices);
      return objective.measure(logits, indices);
    },
    original(indices) {
      asked.at(-1)!.original.push(indices);
      return objective.original(indices);
    },
  };
  const supportSource = (): ImageFeed => ({
    ...objective.source,
    batch(support) {
      asked.push({ support, measured: [], original: [] });
      return objective.source.batch(support);
    },
  });
  return { learning: { ...learning, objective: spy, supportSource }, asked };
}
