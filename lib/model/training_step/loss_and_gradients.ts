import * as tf from "@tensorflow/tfjs";
import type { ImageBatch } from "../../data/loader/image_source.ts";
import { plain } from "../../tensor/algebra.ts";
import { valueAndGradients, type Weights } from "../../tensor/weights.ts";
import { taskLoss } from "../task_loss.ts";
import { vit } from "../vit.ts";
import type { StepSettings } from "./training_step.ts";

/**
 * A micro-batch's part of a batch's mean task loss, and its gradient.
 *
 * @param share of the batch's images
 * @returns both the caller's
 */
export function lossAndGradients(
  { task, shape }: StepSettings,
  theta: Weights,
  { patches, targets }: ImageBatch,
  share: number,
): { value: tf.Scalar; gradients: Weights } {
  return valueAndGradients((weights) => {
    const { logits } = vit(plain, weights, patches, shape);
    return tf.mul(taskLoss(task, logits, targets), share);
  }, theta);
}
