import * as tf from "@tensorflow/tfjs";
import { shuffledBatches } from "../../data/batches.ts";
import { type ImageFeed, warmed } from "../../data/loader/image_source.ts";
import { divergence } from "../../model/distillation.ts";
import type { Optimiser } from "../../tensor/optimisers/optimiser.ts";
import { sgd } from "../../tensor/optimisers/sgd.ts";
import type { Random } from "../../random.ts";
import { cosine } from "../../tensor/schedule.ts";
import { disposeWeights, mapWeights, type Weights } from "../../tensor/weights.ts";
import { type Backbone, logitGradient, logitsOf, queueLogitGradient } from "../logit_gradient.ts";
import { studentOf } from "./student.ts";
import { activeWebgpu } from "../../tensor/recording/owned_tensor.ts";

/** How Bad Teacher trains. */
export interface BadTeacherSettings {
  readonly learningRate: number;
  readonly epochs: number;
  readonly batchSize: number;
}

/** Constants of the released code. */
export const BAD_TEACHER = { momentum: 0.9, weightDecay: 5e-4 } as const;

/** Two teachers of the shape that all three models share, and the images. */
export interface BadTeacherData extends Backbone {
  /** The original model: retained images follow it. */
  readonly competent: Weights;
  /** The architecture at random weights: images to forget follow it. */
  readonly incompetent: Weights;
  readonly source: ImageFeed;
  /** Called after each step of a run, with the step's images. */
  readonly onImages?: (images: number) => void;
}

/**
 * One step: the student follows the incompetent teacher on images to forget and the original on the
 * others, by the KL divergence of their softmaxes, mean over the batch.
 *
 * @param theta taken over
 * @returns the student after it, the caller's, and the loss before
 */
export async function badTeacherStep(
  theta: Weights,
  optimiser: Optimiser,
  data: BadTeacherData,
  forget: readonly number[],
  retain: readonly number[],
  learningRate: number,
): Promise<{ theta: Weights; value: number }> {
  const { patches, targets } = await data.source.batch([...forget, ...retain]);
  const taught = tf.tidy(() => {
    const perImage = patches.shape[0] / (forget.length + retain.length);
    const cut = forget.length * perImage;
    const of = (teacher: Weights, from: number, count: number) =>
      logitsOf(teacher, data, tf.slice(patches, [from, 0], [count, -1]));
    const rows = [
      ...forget.length > 0 ? [of(data.incompetent, 0, cut)] : [],
      ...retain.length > 0 ? [of(data.competent, cut, patches.shape[0] - cut)] : [],
    ];
    return tf.concat(rows);
  });
  const { value, gradients } = await logitGradient(
    theta,
    data,
    patches,
    (logits) => divergence(logits, taught),
  );
  const next = optimiser.step(theta, gradients, learningRate);
  disposeWeights(gradients);
  tf.dispose([patches, targets, taught]);
  return { theta: next, value };
}

/**
 * Bad Teacher (Chundawat et al., AAAI 2023): a student of the original model that unlearns by following
 * a teacher who knows nothing. It needs the training images.
 *
 * @returns theta_u; the caller disposes it
 */
export async function badTeacher(
  data: BadTeacherData,
  forget: readonly number[],
  retain: readonly number[],
  { learningRate, epochs, batchSize }: BadTeacherSettings,
  random: Random,
): Promise<Weights> {
  const all = [...forget, ...retain];
  if (activeWebgpu()) {
    return await maskedSteps(
      data,
      new Set(forget),
      all,
      { learningRate, epochs, batchSize },
      random,
    );
  }
  const optimiser = sgd(BAD_TEACHER);
  let theta = mapWeights(data.competent, tf.clone);
  for (let epoch = 0; epoch < epochs; epoch++) {
    const rate = cosine(learningRate, epoch, epochs);
    const order = shuffledBatches(all.length, batchSize, random.fork(`epoch ${epoch}`));
    const toForget = new Set(forget);
    for (const batch of warmed(data.source, order.map((batch) => batch.map((i) => all[i])))) {
      const part = (wanted: boolean) => batch.filter((i) => toForget.has(i) === wanted);
      ({ theta } = await badTeacherStep(theta, optimiser, data, part(true), part(false), rate));
      data.onImages?.(batch.length);
    }
  }
  optimiser.dispose();
  return theta;
}

/**
 * The same in steps that are recorded: which image follows whom changes from batch to batch, so both
 * teachers see all of them and a mask [b, 1] takes one's answer or the other's.
 */
async function maskedSteps(
  data: BadTeacherData,
  toForget: ReadonlySet<number>,
  all: readonly number[],
  { learningRate, epochs, batchSize }: BadTeacherSettings,
  random: Random,
): Promise<Weights> {
  const student = studentOf(data.competent, BAD_TEACHER);
  const step = student.down((theta, { patches, forgets }) => {
    const taught = tf.tidy(() =>
      tf.add(
        tf.mul(logitsOf(data.incompetent, data, patches), forgets),
        tf.mul(logitsOf(data.competent, data, patches), tf.sub(1, forgets)),
      )
    );
    const result = queueLogitGradient(
      theta,
      data,
      patches,
      (logits) => divergence(logits, taught),
    );
    taught.dispose();
    return result;
  });
  for (let epoch = 0; epoch < epochs; epoch++) {
    const rate = cosine(learningRate, epoch, epochs);
    const order = shuffledBatches(all.length, batchSize, random.fork(`epoch ${epoch}`));
    for (const batch of warmed(data.source, order.map((batch) => batch.map((i) => all[i])))) {
      const { patches, targets } = await data.source.batch(batch);
      const forgets = Float32Array.from(batch, (image) => toForget.has(image) ? 1 : 0);
      const inputs = { patches, targets, forgets: tf.tensor2d(forgets, [batch.length, 1]) };
      await step(inputs, rate, () => data.onImages?.(batch.length));
    }
  }
  return await student.finish();
}
