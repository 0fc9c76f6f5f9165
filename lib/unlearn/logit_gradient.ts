import * as tf from "@tensorflow/tfjs";
import { vit, type VitShape } from "../model/vit.ts";
import { plain } from "../tensor/algebra.ts";
import { accumulate, valueAndGradients, type Weights } from "../tensor/weights.ts";
import { microBatchRanges } from "./meta_unlearn/algorithm1_unlearning_step.ts";

/** What running theta takes besides its weights. */
export interface Backbone {
  /** Of the network. */
  readonly shape: VitShape;
  /** Images per pass, to fit the device's memory; results differ by rounding only. */
  readonly microBatch: number;
}

/** Patch rows of every micro-batch; views that the caller disposes. */
function pieces({ shape, microBatch }: Backbone, patches: tf.Tensor): tf.Tensor[] {
  const perImage = (shape.imageSize / shape.patchSize) ** 2;
  const images = patches.shape[0] / perImage;
  if (images <= microBatch) return [tf.clone(patches)];
  return microBatchRanges(images, microBatch)
    .map(([a, b]) => tf.slice(patches, [a * perImage, 0], [(b - a) * perImage, -1]));
}

/**
 * f_theta without gradients.
 *
 * @param patches patch rows of b images
 * @returns logits [b, labels], owned by the caller
 */
export function logitsOf(theta: Weights, backbone: Backbone, patches: tf.Tensor): tf.Tensor {
  const parts = pieces(backbone, patches).map((piece) => {
    // A tidy each: what a pass leaves would add up otherwise.
    const logits = tf.tidy(() => vit(plain, theta, piece, backbone.shape).logits);
    piece.dispose();
    return logits;
  });
  if (parts.length === 1) return parts[0];
  const all = tf.concat(parts);
  tf.dispose(parts);
  return all;
}

/**
 * Value and gradient with respect to theta of a loss of the logits of some images. More images than
 * fit one pass are run twice: for the loss and its gradient in the logits, then, with that cotangent,
 * backwards in micro-batches; the loss may tie images together as it likes.
 *
 * @param patches patch rows of b images
 * @param loss of logits [b, labels]; a scalar
 * @returns the value and the gradients; the caller disposes them
 */
export async function logitGradient(
  theta: Weights,
  backbone: Backbone,
  patches: tf.Tensor,
  loss: (logits: tf.Tensor) => tf.Tensor,
): Promise<{ value: number; gradients: Weights }> {
  const { value, gradients } = queueLogitGradient(theta, backbone, patches, loss);
  const [number] = await value.data();
  value.dispose();
  return { value: number, gradients };
}

/** As {@link logitGradient}, waiting for nothing: the value is a scalar, the caller's. */
export function queueLogitGradient(
  theta: Weights,
  backbone: Backbone,
  patches: tf.Tensor,
  loss: (logits: tf.Tensor) => tf.Tensor,
): { value: tf.Scalar; gradients: Weights } {
  const run = (weights: Weights, piece: tf.Tensor) =>
    vit(plain, weights, piece, backbone.shape, true).logits;
  const parts = pieces(backbone, patches);
  if (parts.length === 1) {
    const result = valueAndGradients((weights) => loss(run(weights, parts[0])), theta);
    parts[0].dispose();
    return result;
  }
  const logits = logitsOf(theta, backbone, patches);
  const outer = valueAndGradients(({ logits }) => loss(logits), { logits });
  let gradients: Weights | null = null;
  let row = 0;
  for (const piece of parts) {
    const part = valueAndGradients((weights) => {
      const own = run(weights, piece);
      const cotangent = tf.slice(outer.gradients.logits, [row, 0], [own.shape[0], -1]);
      return tf.sum(tf.mul(own, cotangent));
    }, theta);
    const perImage = patches.shape[0] / logits.shape[0];
    row += piece.shape[0] / perImage;
    tf.dispose([part.value, piece]);
    gradients = accumulate(gradients, part.gradients);
  }
  tf.dispose([logits, outer.gradients.logits]);
  return { value: outer.value, gradients: gradients! };
}
