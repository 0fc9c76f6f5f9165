import type * as tf from "@tensorflow/tfjs";
import { vit, type VitShape } from "../model/vit.ts";
import { plain } from "../tensor/algebra.ts";
import { valueAndGradients, type Weights } from "../tensor/weights.ts";

/**
 * Value and gradient with respect to theta of a loss of the logits of some images.
 *
 * @param patches patch rows of b images
 * @param loss of logits [b, labels]; a scalar
 * @returns the value and the gradients; the caller disposes them
 */
export async function logitGradient(
  theta: Weights,
  shape: VitShape,
  patches: tf.Tensor,
  loss: (logits: tf.Tensor) => tf.Tensor,
): Promise<{ value: number; gradients: Weights }> {
  const { value, gradients } = valueAndGradients(
    (weights) => loss(vit(plain, weights, patches, shape).logits),
    theta,
  );
  const [number] = await value.data();
  value.dispose();
  return { value: number, gradients };
}
