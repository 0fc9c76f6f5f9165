import * as tf from "@tensorflow/tfjs";
import { chunks, type ImageFeed, warmed } from "../../data/loader/image_source.ts";
import type { Task } from "../../data/sample.ts";
import { taskLoss } from "../../model/task_loss.ts";
import { disposeWeights, mapWeights, type Weights } from "../../tensor/weights.ts";
import { type Backbone, logitGradient } from "../logit_gradient.ts";

/** How SSD chooses and dampens. */
export interface SsdSettings {
  /** alpha: elements whose importance for the request is more than alpha times that for training. */
  readonly selection: number;
  /** lambda: a chosen element is scaled by lambda times the ratio of training to request importance. */
  readonly dampening: number;
}

/**
 * Importances of theta's elements (the diagonal of the empirical Fisher matrix, as the released code
 * estimates it): the mean over batches of the squared gradient of the batch's mean task loss.
 *
 * @param indices images of `source`, in batches of `batchSize` in their order
 * @returns one tensor per tensor of theta; the caller disposes them
 */
export async function importances(
  theta: Weights,
  backbone: Backbone,
  task: Task,
  source: ImageFeed,
  indices: readonly number[],
  batchSize: number,
  onImages?: (images: number) => void,
): Promise<Weights> {
  const batches = chunks(indices, batchSize);
  let sum = mapWeights(theta, tf.zerosLike);
  for (const batch of warmed(source, batches)) {
    const { patches, targets } = await source.batch(batch);
    const { gradients } = await logitGradient(
      theta,
      backbone,
      patches,
      (logits) => taskLoss(task, logits, targets),
    );
    const next = mapWeights(
      sum,
      (tensor, name) => tf.add(tensor, tf.div(tf.square(gradients[name]), batches.length)),
    );
    for (const weights of [sum, gradients]) disposeWeights(weights);
    tf.dispose([patches, targets]);
    sum = next;
    onImages?.(batch.length);
  }
  return sum;
}

/**
 * Selective Synaptic Dampening (Foster et al., AAAI 2024): elements that matter more for the request
 * than for training are scaled towards zero,
 *
 *     theta_i <- min(lambda I_train,i / I_request,i, 1) theta_i   where I_request,i > alpha I_train,i
 *
 * @param training importances over the training images, of the kit
 * @param request importances over the support images
 * @returns theta_u; the caller disposes it
 */
export function dampen(
  theta: Weights,
  training: Weights,
  request: Weights,
  { selection, dampening }: SsdSettings,
): Weights {
  return mapWeights(theta, (tensor, name) => {
    const [own, others] = [request[name], training[name]];
    const chosen = tf.greater(own, tf.mul(others, selection));
    // Chosen elements have an importance above zero; elsewhere the quotient is not looked at.
    const factor = tf.minimum(tf.div(tf.mul(others, dampening), tf.maximum(own, 1e-38)), 1);
    return tf.where(chosen, tf.mul(tensor, factor), tensor);
  });
}
