import * as tf from "@tensorflow/tfjs";
import { Cycle, shuffledBatches } from "../../data/batches.ts";
import { type ImageFeed, warmed } from "../../data/loader/image_source.ts";
import type { Task } from "../../data/sample.ts";
import { taskLoss } from "../../model/task_loss.ts";
import type { Random } from "../../random.ts";
import type { Optimiser } from "../../tensor/optimisers/optimiser.ts";
import type { Tensors } from "../../tensor/recording/recording.ts";
import { cosine } from "../../tensor/schedule.ts";
import { disposeWeights, type Weights } from "../../tensor/weights.ts";
import { type Backbone, logitsOf, queueLogitGradient } from "../logit_gradient.ts";
import type { Answers } from "../memory/divergence.ts";
import { studentOf } from "./student.ts";

/** How fine-tuning to the reference answers goes. */
export interface ReferenceTuningSettings {
  /** At the start; falls by a cosine over the epochs. */
  readonly learningRate: number;
  /** Over the images to forget. */
  readonly epochs: number;
  /** Images to forget per step; as many to retain go with them. */
  readonly batchSize: number;
  /** Weight of what is retained. */
  readonly retainWeight: number;
}

/** Of the optimiser. */
export const REFERENCE_TUNING = { momentum: 0.9, weightDecay: 0 } as const;

/** The model, its images, and what models say that never saw the people to forget. */
export interface ReferenceTuningData extends Backbone {
  /** The original model: what it says of retained images stays. */
  readonly theta: Weights;
  readonly task: Task;
  readonly source: ImageFeed;
  /** Probabilities that the fold models give for the images to forget. */
  readonly reference: Answers;
  /** Called after each step, with the step's images. */
  readonly onImages?: (images: number) => void;
}

/**
 * One step down KL(reference || f) on images to forget and `retainWeight` times KL(original || f) on
 * retained ones, each the mean over its images.
 *
 * @param student taken over
 * @returns the student after it, the caller's, and the loss before (cross entropies)
 */
export async function referenceStep(
  student: Weights,
  optimiser: Optimiser,
  data: ReferenceTuningData,
  forget: readonly number[],
  retain: readonly number[],
  { learningRate, retainWeight }: Pick<ReferenceTuningSettings, "learningRate" | "retainWeight">,
): Promise<{ theta: Weights; value: number }> {
  const batch = await batchOf(data, forget, retain);
  const { value, gradients } = gradientOf(student, data, batch, retainWeight);
  const next = optimiser.step(student, gradients, learningRate);
  const [number] = await value.data();
  disposeWeights(gradients);
  tf.dispose([value, ...Object.values(batch)]);
  return { theta: next, value: number };
}

/**
 * Fine-tunes the model on the people's own photographs until it says of them what models say that never saw
 * them, while it keeps to its own answers on as many others: what a kit's memory approximates without any
 * photograph. It needs the training images and the fold models' answers.
 *
 * @returns theta_u; the caller disposes it
 */
export async function referenceTuning(
  data: ReferenceTuningData,
  forget: readonly number[],
  retain: readonly number[],
  { learningRate, epochs, batchSize, retainWeight }: ReferenceTuningSettings,
  random: Random,
): Promise<Weights> {
  const student = studentOf(data.theta, REFERENCE_TUNING);
  const step = student.down((theta, batch) => gradientOf(theta, data, batch, retainWeight));
  const others = new Cycle(retain, random.fork("retain"));
  for (let epoch = 0; epoch < epochs; epoch++) {
    const rate = cosine(learningRate, epoch, epochs);
    const batches = shuffledBatches(forget.length, batchSize, random.fork(`epoch ${epoch}`))
      .map((batch) => batch.map((i) => forget[i]));
    for (const batch of warmed(data.source, batches)) {
      const kept = others.take(Math.min(batch.length, retain.length));
      const images = batch.length + kept.length;
      await step(await batchOf(data, batch, kept), rate, () => data.onImages?.(images));
    }
  }
  return await student.finish();
}

/** Patch rows of both parts, and what is due on the images to forget, [forget, labels]. */
async function batchOf(
  { source, reference }: ReferenceTuningData,
  forget: readonly number[],
  retain: readonly number[],
): Promise<{ patches: tf.Tensor; due: tf.Tensor }> {
  const { patches, targets } = await source.batch([...forget, ...retain]);
  const due = tf.tensor2d(reference(forget), [forget.length, targets.shape[1]!]);
  targets.dispose();
  return { patches, due };
}

/** Both the caller's. */
function gradientOf(
  student: Weights,
  { theta, task, ...backbone }: ReferenceTuningData,
  { patches, due }: Tensors,
  retainWeight: number,
): { value: tf.Tensor; gradients: Weights } {
  const [forget, labels] = due.shape as [number, number];
  const { imageSize, patchSize } = backbone.shape;
  const perImage = (imageSize / patchSize) ** 2;
  const retain = patches.shape[0] / perImage - forget;
  const kept = retain === 0 ? null : tf.tidy(() => {
    const own = tf.slice(patches, [forget * perImage, 0], [retain * perImage, -1]);
    const logits = logitsOf(theta, backbone, own);
    return task === "multi-label" ? tf.sigmoid(logits) : tf.softmax(logits as tf.Tensor2D);
  });
  const result = queueLogitGradient(student, backbone, patches, (logits) => {
    const lost = taskLoss(task, tf.slice(logits, [0, 0], [forget, labels]), due);
    if (kept === null) return lost;
    const held = taskLoss(task, tf.slice(logits, [forget, 0], [retain, labels]), kept);
    return tf.add(lost, tf.mul(held, retainWeight));
  });
  kept?.dispose();
  return result;
}
