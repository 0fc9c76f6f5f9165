import * as tf from "@tensorflow/tfjs";
import { chunks, type ImageFeed } from "../../data/loader/image_source.ts";
import type { Task } from "../../data/sample.ts";
import { taskLoss } from "../../model/task_loss.ts";
import { addScaled, disposeWeights, mapWeights, type Weights } from "../../tensor/weights.ts";
import { IMPORTANCE_BATCH } from "../importance_batch.ts";
import { type Backbone, logitGradient } from "../logit_gradient.ts";

/** How far the influence-function step goes. */
export interface InfluenceSettings {
  /** eta, which takes up Koh and Liang's 1 / n and what batches make of F. */
  readonly learningRate: number;
  /** lambda, in units of F's mean over all of theta. */
  readonly damping: number;
}

/**
 * The sum over some images of the gradient of each one's task loss.
 *
 * @param indices images of `source`
 * @returns by the names of theta; the caller disposes it
 */
export async function summedGradient(
  theta: Weights,
  backbone: Backbone,
  task: Task,
  source: ImageFeed,
  indices: readonly number[],
): Promise<Weights> {
  let sum = mapWeights(theta, tf.zerosLike);
  for (const batch of chunks(indices, IMPORTANCE_BATCH)) {
    const { patches, targets } = await source.batch(batch);
    const { gradients } = await logitGradient(
      theta,
      backbone,
      patches,
      (logits) => taskLoss(task, logits, targets),
    );
    const next = addScaled(sum, gradients, batch.length);
    for (const weights of [sum, gradients]) disposeWeights(weights);
    tf.dispose([patches, targets]);
    sum = next;
  }
  return sum;
}

/**
 * What leaving images out of training would have changed, by influence functions (Koh and Liang, ICML 2017,
 * Eq. 1 and 2: theta_-z - theta = H^-1 grad L(z) / n), with the damped diagonal of the empirical Fisher
 * matrix in the Hessian's place,
 *
 *     theta_u = theta + eta (F / mean F + lambda)^-1 sum_z grad L(z; theta).
 *
 * @param fisher F by the names of theta: SSD's importances of the training images
 * @param gradient {@link summedGradient} of the images to leave out
 * @returns theta_u; the caller disposes it
 */
export function influenceStep(
  theta: Weights,
  fisher: Weights,
  gradient: Weights,
  { learningRate, damping }: InfluenceSettings,
): Weights {
  const scale = tf.tidy(() => {
    const tensors = Object.values(fisher);
    const elements = tensors.reduce((sum, { size }) => sum + size, 0);
    // Not tf.addN: its shader would bind more buffers than a WebGPU adapter allows.
    const total = tensors.map((tensor) => tf.sum(tensor)).reduce((a, b) => tf.add(a, b));
    // A model that is certain of everything has no gradient: nothing is divided by zero then.
    return tf.maximum(tf.div(total, elements), 1e-30);
  });
  const after = mapWeights(theta, (tensor, name) => {
    const damped = tf.add(tf.div(fisher[name], scale), damping);
    // Where nothing is damped and F is zero the gradient is zero as well.
    const step = tf.div(gradient[name], tf.maximum(damped, 1e-30));
    return tf.add(tensor, tf.mul(step, learningRate));
  });
  scale.dispose();
  return after;
}
