import * as tf from "@tensorflow/tfjs";
import type { Random } from "../../random.ts";
import { Recorded } from "../../tensor/recording/recorded.ts";
import type { Tensors } from "../../tensor/recording/recording.ts";
import { addScaled, disposeWeights, type Weights } from "../../tensor/weights.ts";
import { type Backbone, logitGradient, logitsOf } from "../logit_gradient.ts";
import { photographShares } from "../photograph_shares.ts";

/** How JiT perturbs and steps. */
export interface JitSettings {
  readonly learningRate: number;
  /** Standard deviation of the noise, in units of the normalised input. */
  readonly noise: number;
  /** Noisy copies per image. */
  readonly draws: number;
}

/** What {@link justInTime} adds to the patches: a drawn tensor after the other, each freed after use. */
export function* gaussianNoises(
  patches: tf.Tensor,
  { noise, draws }: Pick<JitSettings, "noise" | "draws">,
  random: Random,
): Generator<tf.Tensor> {
  for (let draw = 0; draw < draws; draw++) {
    const values = Float32Array.from({ length: patches.size }, () => noise * random.normal());
    const tensor = tf.tensor(values, patches.shape);
    yield tensor;
    tensor.dispose();
  }
}

/**
 * Just in Time unlearning (Foster et al. 2024a): one SGD step that makes the model smooth around the
 * support images, on the mean over draws of
 *
 *     sum over images of |f(x) - f(x')| / |x - x'|,   x' = x + noise, cut to the batch's own range
 *
 * with f(x') constant to differentiation; a person's photographs count as one image together.
 *
 * @param patches patch rows [b n, 3 patchSize^2] of the support images
 * @param noises what is added, each of the shape of `patches`
 * @param people whose each image is, where somebody has several
 * @returns theta_u, the caller's, and the loss before the step
 */
export async function justInTime(
  theta: Weights,
  backbone: Backbone,
  patches: tf.Tensor,
  noises: Iterable<tf.Tensor>,
  learningRate: number,
  people?: readonly number[],
): Promise<{ theta: Weights; value: number }> {
  const { imageSize, patchSize } = backbone.shape;
  const perImage = (imageSize / patchSize) ** 2;
  const images = patches.shape[0] / perImage;
  const shares = people && photographShares(people);
  const copies: { logits: tf.Tensor; distance: tf.Tensor }[] = [];
  const perturbed = new Recorded(({ noise }: Tensors) => {
    const noisy = tf.minimum(
      tf.maximum(tf.add(patches, noise), tf.min(patches)),
      tf.max(patches),
    );
    const logits = logitsOf(theta, backbone, noisy);
    const gap = tf.reshape(tf.sub(patches, noisy), [images, -1]);
    return { logits, distance: tf.sqrt(tf.sum(tf.square(gap), 1)) };
  });
  for (const noise of noises) {
    const { logits, distance } = perturbed.run({ noise });
    copies.push({ logits: tf.clone(logits), distance: tf.clone(distance) });
  }
  perturbed.dispose();
  // All draws in one tensor each: a term of its own for each would be some ten programs, and as many again
  // for its gradient.
  const [said, apart] = [copies.map(({ logits }) => logits), copies.map((copy) => copy.distance)]
    .map((tensors) => tf.tidy(() => tf.stack(tensors)));
  const { value, gradients } = await logitGradient(theta, backbone, patches, (logits) => {
    const gaps = tf.sub(tf.expandDims(logits, 0), said);
    const ratios = tf.div(tf.sqrt(tf.sum(tf.square(gaps), 2)), apart);
    return tf.div(
      tf.sum(shares ? tf.mul(ratios, tf.tensor1d([...shares])) : ratios),
      copies.length,
    );
  });
  const after = addScaled(theta, gradients, -learningRate);
  tf.dispose([said, apart, ...copies.flatMap(({ logits, distance }) => [logits, distance])]);
  disposeWeights(gradients);
  return { theta: after, value };
}
