import * as tf from "@tensorflow/tfjs";
import { shuffledBatches } from "../data/batches.ts";
import {
  batchesOf,
  type BatchStream,
  chunks,
  type Foretold,
  type ImageBatch,
  type ImageFeed,
  range,
} from "../data/loader/image_source.ts";
import { Random } from "../random.ts";
import { warmUpCosine } from "../tensor/schedule.ts";
import { disposeWeights, mapWeights, type Weights } from "../tensor/weights.ts";
import type { StepLog } from "./training_step/step_log.ts";
import { trainingStep } from "./training_step/open_training_step.ts";
import type { StepSettings } from "./training_step/training_step.ts";

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
export interface Training extends StepSettings {
  readonly seed: number;
  /** Training images; `varied(random)` gives the source with that epoch's augmentation. */
  readonly images: number;
  readonly source: (random: Random) => (ImageFeed | BatchStream) & Foretold;
  /** mAP or accuracy on validation people, a fraction. */
  readonly validate: (theta: Weights) => Promise<number>;
  /** Looks on at every step; the weights are the same without it. */
  readonly log?: StepLog | undefined;
  /** Called with the milliseconds for which a batch's images were not there when it was their turn. */
  readonly onInput?: (milliseconds: number) => void;
  /** Called when the run's first step is queued. */
  readonly onFirstStep?: () => Promise<void>;
  readonly onImages?: (images: number, epoch: number, loss: number) => void;
  /** Called after each epoch with tensors that stay the loop's. */
  readonly onEpoch?: (state: TrainingState) => Promise<void>;
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
  const history: Epoch[] = [...from?.history ?? []];
  const perEpoch = Math.ceil(images / recipe.batchSize);
  /** An epoch's batches, and their images in its order, whose loading begins now. */
  const inputOf = (epoch: number) => {
    const random = new Random(seed, `train epoch ${epoch}`);
    const batches = shuffledBatches(images, recipe.batchSize, random.fork("order"));
    const pieces = batches.flatMap((indices) => chunks(indices, training.microBatch));
    const source = training.source(random.fork("cuts"));
    const stream = batchesOf(source, pieces, training.onInput);
    return { batches, stream, form: (images: number) => source.form?.(images) };
  };
  let next = history.length < recipe.epochs ? inputOf(history.length + 1) : null;
  const step = trainingStep(training, from?.theta ?? mapWeights(initial, tf.clone));
  // Programs are compiled while the first images are loaded.
  if (next) step.prepare?.(next.batches[0].length, next.form);
  let best = from?.best ?? mapWeights(initial, tf.clone);
  if (from) step.restore(from.moments, from.steps);
  let stepped = false;

  for (let epoch = history.length + 1; epoch <= recipe.epochs; epoch++) {
    const { batches, stream } = next!;
    const losses: number[] = [];
    for (const [i, images] of batches.entries()) {
      const { length } = images;
      let input: AsyncIterator<ImageBatch, void> = stream;
      if (training.log) {
        const own: ImageBatch[] = [];
        const count = Math.ceil(length / training.microBatch);
        while (own.length < count) own.push((await stream.next()).value!);
        await training.log.before(step.theta, images, own);
        input = batchesOf(
          { batch: ([k]) => own[k], targets: () => new Float32Array() },
          range(count).map((k) => [k]),
        );
      }
      const rate = warmUpCosine(recipe, step.steps, perEpoch);
      await step.take(input, length, rate, (loss) => {
        losses[i] = loss * length;
        training.onImages?.(length, epoch, loss);
      });
      await training.log?.after(rate, step.steps, step.moments());
      if (!stepped) await training.onFirstStep?.();
      stepped = true;
    }
    // Loaded while this epoch ends: losses are read, validation runs, the state is saved.
    next = epoch < recipe.epochs ? inputOf(epoch + 1) : null;
    await step.finish();
    const sum = losses.reduce((a, b) => a + b, 0);
    const metric = await training.validate(step.theta);
    if (recipe.select === "last" || history.every((earlier) => metric > earlier.metric)) {
      disposeWeights(best);
      best = step.copy();
    }
    history.push({ epoch, loss: sum / images, metric });
    await training.onEpoch?.({
      history,
      theta: step.theta,
      best,
      moments: step.moments(),
      steps: step.steps,
    });
  }
  step.dispose();
  return { theta: best, history };
}
