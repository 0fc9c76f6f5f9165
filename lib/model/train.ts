import * as tf from "@tensorflow/tfjs";
import { shuffledBatches } from "../data/batches.ts";
import {
  batchesOf,
  type BatchStream,
  chunks,
  type ImageBatch,
  type ImageFeed,
} from "../data/loader/image_source.ts";
import type { Task } from "../data/sample.ts";
import { plain } from "../tensor/algebra.ts";
import { adamW, ADAMW_DEFAULTS } from "../tensor/optimisers/adamw.ts";
import type { Optimiser } from "../tensor/optimisers/optimiser.ts";
import { sgd } from "../tensor/optimisers/sgd.ts";
import { Random } from "../random.ts";
import { Reads } from "../tensor/reads.ts";
import { warmUpCosine } from "../tensor/schedule.ts";
import { addScaled, disposeWeights, mapWeights, valueAndGradients } from "../tensor/weights.ts";
import type { Weights } from "../tensor/weights.ts";
import type { TrainingRecipe } from "./recipes.ts";
import { taskLoss } from "./task_loss.ts";
import { vit, type VitShape } from "./vit.ts";

/** What one epoch came to. */
export interface Epoch {
  /** 1-based. */
  readonly epoch: number;
  /** Mean training loss over the epoch. */
  readonly loss: number;
  /** mAP or accuracy on validation people after the epoch, a fraction. */
  readonly metric: number;
}

/** All that a run needs to go on after an epoch. */
export interface TrainingState {
  readonly history: readonly Epoch[];
  /** theta after the last epoch. */
  readonly theta: Weights;
  /** theta after the epoch that the recipe selects so far: the best by validation, or the last. */
  readonly best: Weights;
  readonly moments: Weights;
  /** Optimiser steps done. */
  readonly steps: number;
}

/** A training run. */
export interface Training {
  readonly recipe: TrainingRecipe;
  readonly task: Task;
  readonly shape: VitShape;
  readonly seed: number;
  /** Training images; `varied(random)` gives the source with that epoch's augmentation. */
  readonly images: number;
  readonly source: (random: Random) => ImageFeed | BatchStream;
  /** mAP or accuracy on validation people, a fraction. */
  readonly validate: (theta: Weights) => Promise<number>;
  /** Images per pass; gradients are accumulated up to the recipe's batch. */
  readonly microBatch: number;
  /** Called when the run's first step is queued. */
  readonly onFirstStep?: () => Promise<void>;
  readonly onImages?: (images: number, epoch: number, loss: number) => void;
  /** Called with the milliseconds in which the device waited for a batch's images. */
  readonly onInput?: (milliseconds: number) => void;
  /** Called after each epoch with tensors that stay the loop's. */
  readonly onEpoch?: (state: TrainingState) => Promise<void>;
}

function optimiserOf(recipe: TrainingRecipe): Optimiser {
  const { weightDecay, momentum } = recipe;
  if (recipe.optimiser === "sgd") return sgd({ momentum, weightDecay });
  // As usual for ViTs: biases, norms, the class token and positions do not decay.
  const decays = (name: string) =>
    name.endsWith(".weight") && !/norm/.test(name) && name !== "pos_embed";
  return adamW({ ...ADAMW_DEFAULTS, weightDecay, decays });
}

/**
 * The gradient of one batch's mean task loss, accumulated over micro-batches.
 *
 * @param input micro-batches in order; the next ones are taken, `images` in all
 * @param onLoss called with the loss once it is read, which happens while the device goes on
 */
async function batchGradient(
  training: Training,
  theta: Weights,
  input: AsyncIterator<ImageBatch, void>,
  images: number,
  reads: Reads,
  onLoss: (loss: number) => void,
): Promise<Weights> {
  const { shape, task, microBatch } = training;
  const pieces = Math.ceil(images / microBatch);
  const losses: number[] = [];
  let read = 0;
  let gradients: Weights | null = null;
  for (let i = 0; i < pieces; i++) {
    const begun = performance.now();
    const batch = (await input.next()).value!;
    training.onInput?.(performance.now() - begun);
    const share = Math.min(images - i * microBatch, microBatch) / images;
    const part = valueAndGradients((weights) => {
      const { logits } = vit(plain, weights, batch.patches, shape);
      return tf.mul(taskLoss(task, logits, batch.targets), share);
    }, theta);
    tf.dispose([batch.patches, batch.targets]);
    const value = part.value.data();
    if (gradients === null) gradients = part.gradients;
    else {
      const sum: Weights = addScaled(gradients, part.gradients, 1);
      disposeWeights(gradients);
      disposeWeights(part.gradients);
      gradients = sum;
    }
    await reads.add(value.then(([loss]) => {
      part.value.dispose();
      losses[i] = loss;
      if (++read === pieces) onLoss(losses.reduce((a, b) => a + b));
    }));
  }
  return gradients!;
}

/**
 * Trains f_theta on the task loss (Sec. 5.1, App. A): every epoch the images in a new order and with
 * new cuts, one optimiser step per batch, validation after each epoch, the selected epoch kept.
 *
 * Each epoch draws from a stream of its own, so a run that stops after any epoch and goes on from
 * `from` ends with the same bits.
 *
 * @param initial theta at the start; stays the caller's. Ignored with `from`
 * @param from state of an earlier run of the same training; its tensors are taken over
 * @returns the selected epoch's theta, owned by the caller, and the history
 */
export async function train(
  training: Training,
  initial: Weights,
  from?: TrainingState,
): Promise<{ theta: Weights; history: readonly Epoch[] }> {
  const { recipe, seed, images } = training;
  const optimiser = optimiserOf(recipe);
  const history: Epoch[] = [...from?.history ?? []];
  let theta = from?.theta ?? mapWeights(initial, tf.clone);
  let best = from?.best ?? mapWeights(initial, tf.clone);
  if (from) optimiser.restore(from.moments, from.steps);
  let stepped = false;
  const perEpoch = Math.ceil(images / recipe.batchSize);

  for (let epoch = history.length + 1; epoch <= recipe.epochs; epoch++) {
    const random = new Random(seed, `train epoch ${epoch}`);
    const batches = shuffledBatches(images, recipe.batchSize, random.fork("order"));
    const pieces = batches.flatMap((indices) => chunks(indices, training.microBatch));
    const input = batchesOf(training.source(random.fork("cuts")), pieces);
    const [reads, losses]: [Reads, number[]] = [new Reads(), []];
    for (const [i, { length }] of batches.entries()) {
      const gradients = await batchGradient(training, theta, input, length, reads, (loss) => {
        losses[i] = loss * length;
        training.onImages?.(length, epoch, loss);
      });
      theta = optimiser.step(
        theta,
        gradients,
        warmUpCosine(recipe, optimiser.steps, perEpoch),
      );
      disposeWeights(gradients);
      if (!stepped) await training.onFirstStep?.();
      stepped = true;
    }
    await reads.finish();
    const sum = losses.reduce((a, b) => a + b, 0);
    const metric = await training.validate(theta);
    if (recipe.select === "last" || history.every((earlier) => metric > earlier.metric)) {
      disposeWeights(best);
      best = mapWeights(theta, tf.clone);
    }
    history.push({ epoch, loss: sum / images, metric });
    await training.onEpoch?.({
      history,
      theta,
      best,
      moments: optimiser.state(),
      steps: optimiser.steps,
    });
  }
  disposeWeights(theta);
  optimiser.dispose();
  return { theta: best, history };
}
