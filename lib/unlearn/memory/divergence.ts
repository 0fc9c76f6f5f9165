import * as tf from "@tensorflow/tfjs";
import type { ImageFeed } from "../../data/loader/image_source.ts";
import type { Task } from "../../data/sample.ts";
import { taskLoss } from "../../model/task_loss.ts";
import type { Weights } from "../../tensor/weights.ts";
import { type Backbone, logitGradient } from "../logit_gradient.ts";

/** What some model says of images: probabilities [n, labels] on the host, row after row. */
export type Answers = (indices: readonly number[]) => Float32Array;

/** Probabilities of logits: of each label by itself, or of the classes together. */
export function probabilities(task: Task, logits: Float32Array, labels: number): Float32Array {
  if (task === "multi-label") return logits.map((x) => 1 / (1 + Math.exp(-x)));
  const rows = new Float32Array(logits.length);
  for (let from = 0; from < logits.length; from += labels) {
    const own = logits.subarray(from, from + labels);
    const most = own.reduce((a, b) => Math.max(a, b), -Infinity);
    const powers = own.map((x) => Math.exp(x - most));
    const total = powers.reduce((a, b) => a + b, 0);
    powers.forEach((power, l) => rows[from + l] = power / total);
  }
  return rows;
}

/**
 * The gradient in theta of mean KL(answer || f_theta(x)) over some images; labels count each by itself and
 * are averaged, as in the task loss. The entropy of the answers is a constant, so that this is the
 * gradient of the cross entropy with them.
 *
 * @returns value (the cross entropy) and gradients; the caller disposes them
 */
export async function divergenceGradient(
  theta: Weights,
  backbone: Backbone,
  task: Task,
  source: ImageFeed,
  indices: readonly number[],
  answers: Answers,
): Promise<{ value: number; gradients: Weights }> {
  const { patches, targets } = await source.batch(indices);
  const width = targets.shape[1]!;
  const due = tf.tensor2d(answers(indices), [indices.length, width]);
  const result = await logitGradient(
    theta,
    backbone,
    patches,
    (logits) => taskLoss(task, logits, due),
  );
  tf.dispose([patches, targets, due]);
  return result;
}
