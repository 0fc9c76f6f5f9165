import * as tf from "@tensorflow/tfjs";
import { chunks, type ImageFeed, warmed } from "../../data/loader/image_source.ts";
import type { Task } from "../../data/sample.ts";
import { taskLoss } from "../../model/task_loss.ts";
import { sumOf } from "../../tensor/pieces/sum_of.ts";
import { Gathered } from "../../tensor/recording/gathered.ts";
import { activeWebgpu } from "../../tensor/recording/owned_tensor.ts";
import { Recorded } from "../../tensor/recording/recorded.ts";
import type { Tensors } from "../../tensor/recording/recording.ts";
import { disposeWeights, mapWeights, type Weights } from "../../tensor/weights.ts";
import { type Backbone, logitGradient, queueLogitGradient } from "../logit_gradient.ts";
import { meanOverPeople, rowsOf } from "../photograph_shares.ts";

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
 * @param indices images of `source`, in batches of `batchSize` in their order; with `people`, of so
 * many people
 * @returns one tensor per tensor of theta; the caller disposes them
 */
export async function importances(
  theta: Weights,
  backbone: Backbone,
  task: Task,
  source: ImageFeed,
  indices: readonly number[],
  batchSize: number,
  { onImages, people }: {
    readonly onImages?: ((images: number) => void) | undefined;
    /** Whose each image is, where somebody has several: each person weighs as one. */
    readonly people?: readonly number[] | undefined;
  } = {},
): Promise<Weights> {
  const batches = people ? batchesOfPeople(indices, people, batchSize) : chunks(indices, batchSize);
  const backend = activeWebgpu();
  if (backend && batches.length > 2 && !people) {
    const sum = sumOf(backend, theta, true);
    const share = tf.tensor1d([1 / batches.length]);
    const step = new Recorded(({ patches, targets }: Tensors) => {
      const { value, gradients } = queueLogitGradient(
        theta,
        backbone,
        patches,
        (logits) => taskLoss(task, logits, targets),
      );
      sum.add(gradients, share, "x squared");
      disposeWeights(gradients);
      return { value };
    });
    const done = new Gathered();
    for (const batch of warmed(source, batches)) {
      const { patches, targets } = await source.batch(batch);
      const { value } = step.run({ patches, targets });
      tf.dispose([patches, targets]);
      await done.add([value], () => onImages?.(batch.length));
    }
    await done.finish();
    const result = sum.copy();
    step.dispose();
    sum.dispose();
    share.dispose();
    return result;
  }
  const personOf = people && new Map(indices.map((index, i) => [index, people[i]]));
  let sum = mapWeights(theta, tf.zerosLike);
  for (const batch of warmed(source, batches)) {
    const { patches, targets } = await source.batch(batch);
    const rows = personOf ? rowsOf(targets) : [];
    const { gradients } = await logitGradient(
      theta,
      backbone,
      patches,
      (logits) =>
        personOf
          ? meanOverPeople(
            (own, right) => taskLoss(task, own, right),
            logits,
            rows,
            batch.map((i) => personOf.get(i)!),
          )
          : taskLoss(task, logits, targets),
    );
    const next = mapWeights(
      sum,
      (tensor, name) => tf.add(tensor, tf.div(tf.square(gradients[name]), batches.length)),
    );
    for (const weights of [sum, gradients]) disposeWeights(weights);
    tf.dispose([patches, targets, ...rows]);
    sum = next;
    onImages?.(batch.length);
  }
  return sum;
}

/** Cuts images into batches of at most `size` people with all of theirs. */
function batchesOfPeople(
  indices: readonly number[],
  people: readonly number[],
  size: number,
): number[][] {
  return chunks([...new Set(people)], size)
    .map((some) => indices.filter((_, i) => some.includes(people[i])));
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
