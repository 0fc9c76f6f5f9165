import * as tf from "@tensorflow/tfjs";
import { shuffledBatches } from "../../data/batches.ts";
import { type ImageFeed, warmed } from "../../data/loader/image_source.ts";
import type { Task } from "../../data/sample.ts";
import { divergence } from "../../model/distillation.ts";
import { taskLoss } from "../../model/task_loss.ts";
import type { Optimiser } from "../../tensor/optimisers/optimiser.ts";
import type { Tensors } from "../../tensor/recording/recording.ts";
import type { Random } from "../../random.ts";
import { cosine } from "../../tensor/schedule.ts";
import { disposeWeights, mapWeights, type Weights } from "../../tensor/weights.ts";
import { type Backbone, logitsOf, queueLogitGradient } from "../logit_gradient.ts";
import { studentOf, type StudentStep } from "./student.ts";

/** How SCRUB trains. */
export interface ScrubSettings {
  readonly learningRate: number;
  readonly epochs: number;
  /** The first of them, in which forgetting steps come before retaining ones. */
  readonly forgettingEpochs: number;
  readonly batchSize: number;
}

/** Constants of the released code. */
export const SCRUB = {
  momentum: 0.9,
  weightDecay: 5e-4,
  temperature: 4,
  /** Weights of divergence and task loss in retaining steps. */
  alpha: 0.001,
  gamma: 0.99,
  /** Forgetting steps climb without bound: their gradient's norm is cut to this. */
  maxNorm: 1,
} as const;

/** The student and its optimiser. */
export interface ScrubState {
  readonly theta: Weights;
  readonly optimiser: Optimiser;
}

/** What SCRUB learns from: the original model and the images. */
export interface ScrubData extends Backbone {
  readonly teacher: Weights;
  readonly task: Task;
  readonly source: ImageFeed;
  /** Called after each step of a run, with the step's images. */
  readonly onImages?: (images: number) => void;
}

/**
 * One step away from the teacher on images to forget: descends -KL(teacher || student).
 *
 * @param theta taken over
 * @returns the student after it, the caller's, and the loss before
 */
export function forgetStep(
  { theta, optimiser }: ScrubState,
  data: ScrubData,
  indices: readonly number[],
  learningRate: number,
): Promise<{ theta: Weights; value: number }> {
  return step(theta, optimiser, data, indices, learningRate, FORGETTING);
}

/** One step towards teacher and targets on images to retain; as {@link forgetStep}. */
export function retainStep(
  { theta, optimiser }: ScrubState,
  data: ScrubData,
  indices: readonly number[],
  learningRate: number,
): Promise<{ theta: Weights; value: number }> {
  return step(theta, optimiser, data, indices, learningRate, retainingOf(data));
}

/**
 * SCRUB (Kurmanji et al., NeurIPS 2023): a student of the original model that is driven from it on the
 * images to forget in the first epochs, and held to it and to the targets on the others throughout. It
 * needs the training images.
 *
 * @returns theta_u; the caller disposes it
 */
export async function scrub(
  data: ScrubData,
  forget: readonly number[],
  retain: readonly number[],
  { learningRate, epochs, forgettingEpochs, batchSize }: ScrubSettings,
  random: Random,
): Promise<Weights> {
  const student = studentOf(data.teacher, SCRUB);
  const [forgetting, retaining] = [FORGETTING, retainingOf(data)]
    .map((kind) => student.down((theta, batch) => gradientOf(theta, data, batch, kind)));
  for (let epoch = 0; epoch < epochs; epoch++) {
    const rate = cosine(learningRate, epoch, epochs);
    const batches = (images: readonly number[], part: string) =>
      shuffledBatches(images.length, batchSize, random.fork(`${part} ${epoch}`))
        .map((batch) => batch.map((i) => images[i]));
    const take = async (batch: readonly number[], step: StudentStep) =>
      step({ ...await data.source.batch(batch) }, rate, () => data.onImages?.(batch.length));
    if (epoch < forgettingEpochs) {
      for (const batch of warmed(data.source, batches(forget, "forget"))) {
        await take(batch, forgetting);
      }
    }
    for (const batch of warmed(data.source, batches(retain, "retain"))) {
      await take(batch, retaining);
    }
  }
  return await student.finish();
}

/** What a step descends, and what its gradient's norm is cut to. */
interface Kind {
  readonly loss: (student: tf.Tensor, teacher: tf.Tensor, targets: tf.Tensor) => tf.Tensor;
  readonly maxNorm: number;
}

const FORGETTING: Kind = {
  loss: (student, teacher) => tf.neg(divergence(student, teacher, SCRUB.temperature)),
  maxNorm: SCRUB.maxNorm,
};

const retainingOf = ({ task }: ScrubData): Kind => ({
  loss: (student, teacher, targets) =>
    tf.add(
      tf.mul(divergence(student, teacher, SCRUB.temperature), SCRUB.alpha),
      tf.mul(taskLoss(task, student, targets), SCRUB.gamma),
    ),
  maxNorm: Infinity,
});

/** The loss of a step on a batch of `patches` and `targets`, and its gradient, cut; the caller's. */
function gradientOf(
  theta: Weights,
  data: ScrubData,
  { patches, targets }: Tensors,
  { loss, maxNorm }: Kind,
): { value: tf.Tensor; gradients: Weights } {
  const taught = logitsOf(data.teacher, data, patches);
  const { value, gradients } = queueLogitGradient(
    theta,
    data,
    patches,
    (logits) => loss(logits, taught, targets),
  );
  taught.dispose();
  if (maxNorm === Infinity) return { value, gradients };
  const cut = clipped(gradients, maxNorm);
  disposeWeights(gradients);
  return { value, gradients: cut };
}

async function step(
  theta: Weights,
  optimiser: Optimiser,
  data: ScrubData,
  indices: readonly number[],
  learningRate: number,
  kind: Kind,
): Promise<{ theta: Weights; value: number }> {
  const { patches, targets } = await data.source.batch(indices);
  const { value, gradients } = gradientOf(theta, data, { patches, targets }, kind);
  const next = optimiser.step(theta, gradients, learningRate);
  const [number] = await value.data();
  disposeWeights(gradients);
  tf.dispose([patches, targets, value]);
  return { theta: next, value: number };
}

/** Gradients scaled so that their common norm is at most `maxNorm`, as torch's clip_grad_norm_. */
function clipped(gradients: Weights, maxNorm: number): Weights {
  const scale = tf.tidy(() => {
    const squares = Object.values(gradients).map((tensor) => tf.sum(tf.square(tensor)));
    // Not tf.addN: its shader would bind more buffers than a WebGPU adapter allows.
    const norm = tf.sqrt(squares.reduce((sum, square) => tf.add(sum, square)));
    return tf.minimum(tf.div(maxNorm, tf.add(norm, 1e-6)), 1);
  });
  const result = mapWeights(gradients, (tensor) => tf.mul(tensor, scale));
  scale.dispose();
  return result;
}
