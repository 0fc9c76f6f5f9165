import type { ImageFeed } from "../data/loader/image_source.ts";
import { chunks, range } from "../data/loader/image_source.ts";
import * as tf from "@tensorflow/tfjs";
import { disposeWeights, mapWeights, type Weights } from "../tensor/weights.ts";
import { photographShares } from "./photograph_shares.ts";
import type { MetaParameters } from "./meta_unlearn/meta_learn.ts";
import { disposeSupport, supportOf } from "./meta_unlearn/support.ts";
import {
  disposeStep,
  type UnlearningSettings,
  unlearningStep,
} from "./meta_unlearn/algorithm1_unlearning_step.ts";
import { UnlearningSteps } from "./meta_unlearn/unlearning_steps.ts";

/** Steps from which on it pays to record what all of them do. */
const WORTH_RECORDING = 3;

/** One step of an unlearning run. */
export interface UnlearnedChunk {
  /** People forgotten in this step. */
  readonly people: number;
  /** h_phi(f_theta(S)) before the step. */
  readonly metaLoss: number;
}

/**
 * Algorithm 1, unlearning: one gradient step of the meta-loss forgets all people of a request at once.
 *
 * The meta-loss was trained for requests of N_S people: more of them are taken in chunks of N_S in
 * their order, each step at the weights that the previous one left; fewer are taken as they are.
 *
 * @param theta stays the caller's
 * @param source image i is a support photograph
 * @param rows embedding row of the person on image i; a person with several photographs weighs as one
 * @returns theta_u, owned by the caller, and a line per step
 */
export async function unlearn(
  theta: Weights,
  { phi, logStepSizes }: MetaParameters,
  settings: UnlearningSettings,
  source: ImageFeed,
  rows: readonly number[],
  requestSize: number,
): Promise<{ theta: Weights; steps: UnlearnedChunk[] }> {
  const all = chunks([...new Set(rows)], requestSize);
  // A step that comes once is not worth recording.
  const replayed = all.length >= WORTH_RECORDING
    ? new UnlearningSteps(phi, settings, logStepSizes)
    : null;
  let current = mapWeights(theta, tf.clone);
  const steps: UnlearnedChunk[] = [];
  const shares = photographShares(rows);
  try {
    for (const people of all) {
      const images = range(rows.length).filter((i) => people.includes(rows[i]));
      const ofImages = images.map((i) => rows[i]);
      const asked = await supportOf({ source }, { support: images, rows: ofImages });
      // Of mean 1: the meta-loss is a mean over photographs.
      const weights = shares && tf.tensor2d(
        images.map((i) => shares[i] * images.length / people.length),
        [images.length, 1],
      );
      const support = weights ? { ...asked, weights } : asked;
      const step = await (replayed?.take(current, support) ??
        stepOnce(current, phi, support, settings, logStepSizes));
      disposeSupport(support);
      disposeWeights(current);
      current = step.theta;
      steps.push({ people: people.length, metaLoss: step.value });
    }
  } finally {
    replayed?.dispose();
  }
  return { theta: current, steps };
}

async function stepOnce(...given: Parameters<typeof unlearningStep>) {
  const step = await unlearningStep(...given);
  const theta = mapWeights(step.theta, tf.clone);
  disposeStep(step);
  return { theta, value: step.value };
}

/**
 * The meta-loss without the embedding rows of forgotten people: what the next kit holds.
 *
 * @returns a new set, owned by the caller; `embed.weight` has the other rows in their order
 */
export function withoutRows(phi: Weights, forgotten: readonly number[]): Weights {
  // A meta-loss without the input `identities` has no such rows.
  const rows = Array.from({ length: phi["embed.weight"]?.shape[0] ?? 0 }, (_, row) => row);
  return withRows(phi, rows.filter((row) => !forgotten.includes(row)));
}

/**
 * The meta-loss with some embedding rows, in the order asked for.
 *
 * @returns a new set, owned by the caller
 */
export function withRows(phi: Weights, rows: readonly number[]): Weights {
  return mapWeights(
    phi,
    (tensor, name) =>
      name === "embed.weight"
        ? tf.tidy(() => tf.gather(tensor, tf.tensor1d([...rows], "int32")))
        : tf.clone(tensor),
  );
}
