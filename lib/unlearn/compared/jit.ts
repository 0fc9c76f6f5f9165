import * as tf from "@tensorflow/tfjs";
import type { Random } from "../../random.ts";
import { stacked } from "../../tensor/pieces/stacked.ts";
import { Recorded } from "../../tensor/recording/recorded.ts";
import type { Tensors } from "../../tensor/recording/recording.ts";
import { addScaled, disposeWeights, mapWeights, type Weights } from "../../tensor/weights.ts";
import { type Backbone, logitsOf, queueLogitGradient } from "../logit_gradient.ts";
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

/** How JiT is run. */
interface JitRun {
  readonly theta: Weights;
  readonly backbone: Backbone;
  readonly learningRate: number;
}

/**
 * Just in Time unlearning (Foster et al. 2024a): one SGD step that makes the model smooth around the
 * support images, on the mean over draws of
 *
 *     sum over images of |f(x) - f(x')| / |x - x'|,   x' = x + noise, cut to the batch's own range
 *
 * with f(x') constant to differentiation; a person's photographs count as one image together. Draws, and
 * requests of as many images, are replayed from the first one's recording (WebGPU).
 */
export class JustInTime {
  readonly #perturbed: Recorded<Tensors, { logits: tf.Tensor; distance: tf.Tensor }>;
  readonly #step: Recorded<Tensors, Tensors>;

  /** @param run its theta stays the caller's */
  constructor({ theta, backbone, learningRate }: JitRun) {
    this.#perturbed = new Recorded(({ patches, noise }: Tensors) => {
      const noisy = tf.minimum(
        tf.maximum(tf.add(patches, noise), tf.min(patches)),
        tf.max(patches),
      );
      const logits = logitsOf(theta, backbone, noisy);
      const gap = tf.reshape(tf.sub(patches, noisy), [logits.shape[0], -1]);
      return { logits, distance: tf.sqrt(tf.sum(tf.square(gap), 1)) };
    });
    // All draws in one tensor each: a term of its own for each would be some ten programs, and as many again
    // for its gradient.
    this.#step = new Recorded(({ patches, said, apart, shares }: Tensors) => {
      const { value, gradients } = queueLogitGradient(theta, backbone, patches, (logits) => {
        const gaps = tf.sub(tf.expandDims(logits, 0), said);
        const ratios = tf.div(tf.sqrt(tf.sum(tf.square(gaps), 2)), apart);
        return tf.div(tf.sum(shares ? tf.mul(ratios, shares) : ratios), said.shape[0]);
      });
      const after = addScaled(theta, gradients, -learningRate);
      disposeWeights(gradients);
      return { ...after, [VALUE]: value };
    });
  }

  /**
   * One step.
   *
   * @param patches patch rows [b n, 3 patchSize^2] of the support images
   * @param noises what is added, each of the shape of `patches`
   * @param people whose each image is, where somebody has several
   * @returns theta_u, the caller's, and the loss before the step
   */
  async take(
    patches: tf.Tensor,
    noises: Iterable<tf.Tensor>,
    people?: readonly number[],
  ): Promise<{ theta: Weights; value: number }> {
    const copies: { logits: tf.Tensor; distance: tf.Tensor }[] = [];
    for (const noise of noises) {
      const { logits, distance } = this.#perturbed.run({ patches, noise }, STAYS, copies);
      copies.push({ logits: tf.clone(logits), distance: tf.clone(distance) });
    }
    const said = stacked(copies.map(({ logits }) => logits));
    const apart = stacked(copies.map(({ distance }) => distance));
    const weights = people && photographShares(people);
    const shares = weights && tf.tensor1d([...weights]);
    const inputs = { patches, said, apart, ...shares ? { shares } : {} };
    const { [VALUE]: value, ...moved } = this.#step.run(inputs);
    tf.dispose([said, apart, ...copies.flatMap(({ logits, distance }) => [logits, distance])]);
    shares?.dispose();
    const after = mapWeights(moved, tf.clone);
    try {
      return { theta: after, value: (await value.data())[0] };
    } catch (error) {
      disposeWeights(after);
      throw error;
    }
  }

  dispose(): void {
    this.#perturbed.dispose();
    this.#step.dispose();
  }
}

/** The output that is no weight. */
const VALUE = "loss";
/** What is the same for all draws of a request. */
const STAYS: ReadonlySet<string> = new Set(["patches"]);

/** As {@link JustInTime} takes it, for one request. */
export async function justInTime(
  theta: Weights,
  backbone: Backbone,
  patches: tf.Tensor,
  noises: Iterable<tf.Tensor>,
  learningRate: number,
  people?: readonly number[],
): Promise<{ theta: Weights; value: number }> {
  const steps = new JustInTime({ theta, backbone, learningRate });
  try {
    return await steps.take(patches, noises, people);
  } finally {
    steps.dispose();
  }
}
