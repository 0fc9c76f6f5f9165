import * as tf from "@tensorflow/tfjs";
import type { Task } from "../../data/sample.ts";
import type { ImageFeed } from "../../data/loader/image_source.ts";
import { matMul } from "../../tensor/mat_mul.ts";
import { cosine } from "../../tensor/schedule.ts";
import { sumOf } from "../../tensor/pieces/sum_of.ts";
import { Gathered } from "../../tensor/recording/gathered.ts";
import { activeWebgpu } from "../../tensor/recording/owned_tensor.ts";
import { Recorded } from "../../tensor/recording/recorded.ts";
import type { Tensors } from "../../tensor/recording/recording.ts";
import { disposeWeights, mapWeights, type Weights } from "../../tensor/weights.ts";
import { dominantDirections } from "../dominant_directions.ts";
import { type Backbone, logitGradient, queueLogitGradient } from "../logit_gradient.ts";
import { meanOverPeople, rowsOf } from "../photograph_shares.ts";
import { inputCovariances } from "./input_covariances.ts";

/** How PGU steps. */
export interface PguSettings {
  /** Cosine over the epochs. */
  readonly learningRate: number;
  /** Steps on the support images. */
  readonly epochs: number;
  /** Share of the retained inputs' singular values that the kept directions must exceed. */
  readonly gamma: number;
}

/** How many directions are kept, and how near another number of them was. */
interface Rank {
  readonly rank: number;
  readonly clearance: number;
}

/** Weight of the entropy in {@link pguLoss} (released code). */
const ENTROPY_WEIGHT = 0.2;
/** Keeps the logarithm finite where the right answer is certain. */
const MARGIN = 0.05;

/**
 * The loss that PGU descends: the right answers lose their probability, and predictions that stay
 * certain cost less than ones that spread: mean of -log(1 - p_right + 0.05) + 0.2 entropy(softmax).
 * Labels count each by itself (p_right = sigmoid(+-x)); of classes, the right one.
 *
 * @returns a scalar, owned by the caller
 */
export function pguLoss(task: Task, logits: tf.Tensor, targets: tf.Tensor): tf.Scalar {
  const shifted = tf.sub(logits, tf.max(logits, -1, true));
  const logs = tf.sub(shifted, tf.log(tf.sum(tf.exp(shifted), -1, true)));
  const entropy = tf.neg(tf.mean(tf.sum(tf.mul(tf.exp(logs), logs), -1)));
  const right = task === "classes"
    ? tf.sum(tf.mul(tf.exp(logs), targets), -1)
    : tf.sigmoid(tf.mul(logits, tf.sub(tf.mul(targets, 2), 1)));
  const away = tf.neg(tf.mean(tf.log(tf.add(tf.sub(1, right), MARGIN))));
  return tf.add(away, tf.mul(entropy, ENTROPY_WEIGHT)) as tf.Scalar;
}

/** Of some weights those that have a projector. */
function pick(weights: Weights, projectors: Readonly<Record<string, tf.Tensor>>): Weights {
  return Object.fromEntries(Object.keys(projectors).map((name) => [name, weights[name]]));
}

/** What the dominant directions of the retained inputs make; by the names of theta's weights. */
export interface Projectors {
  /** U UT, [in, in]. */
  readonly projectors: Weights;
  /** Of U, by layer. */
  readonly ranks: Record<string, Rank>;
}

/**
 * The projectors onto the dominant directions of inputs.
 *
 * @param covariances over the training images, [in, in] by layer
 * @param own the support's, which are taken off; null for none
 * @param gamma see {@link PguSettings}
 * @returns the caller disposes the projectors
 */
export async function retainedProjectors(
  covariances: Weights,
  own: Weights | null,
  gamma: number,
): Promise<Projectors> {
  const projectors: Record<string, tf.Tensor> = {};
  const ranks: Record<string, Rank> = {};
  for (const [layer, training] of Object.entries(covariances)) {
    const retained = own ? tf.tidy(() => tf.sub(training, own[layer])) : tf.clone(training);
    const size = retained.shape[0];
    const { vectors, rank, clearance } = await dominantDirections(
      await retained.data(),
      size,
      gamma,
    );
    retained.dispose();
    ranks[layer] = { rank, clearance };
    projectors[`${layer}.weight`] = tf.tidy(() => {
      const u = tf.tensor2d(vectors, [size, rank]);
      return matMul(u, u, { transposeB: true });
    });
  }
  return { projectors, ranks };
}

async function projectorsOf(
  theta: Weights,
  backbone: Backbone,
  source: ImageFeed,
  support: readonly number[],
  covariances: Weights,
  gamma: number,
  people: readonly number[] | undefined,
): Promise<Projectors> {
  const own = await inputCovariances(theta, backbone, source, support, { people });
  const made = await retainedProjectors(covariances, own, gamma);
  disposeWeights(own);
  return made;
}

/**
 * Projected Gradient Unlearning (Hoang et al., WACV 2024): gradient steps on the support images in
 * directions that the retained images' inputs do not span. Of each weight matrix's gradient G [out, in]
 * the part G U UT is removed, U the dominant directions of the training inputs' covariance less the
 * support's; all other parameters stay.
 *
 * @param covariances over the training images, of the kit
 * @param support images of `source`: photographs of the people to forget
 * @param people whose each of them is, where somebody gave several
 * @param made the caller's own projectors, in place of those that covariances and support make
 * @returns theta_u, the caller's; the first step's loss; the rank of U by layer, and how far its choice
 *   is from another ({@link dominantDirections})
 */
export async function projectedGradient(
  theta: Weights,
  backbone: Backbone,
  task: Task,
  source: ImageFeed,
  support: readonly number[],
  covariances: Weights,
  { learningRate, epochs, gamma }: PguSettings,
  people?: readonly number[],
  made?: Weights,
): Promise<{ theta: Weights; value: number; ranks: Record<string, Rank> }> {
  const { projectors, ranks } = made
    ? { projectors: made, ranks: {} }
    : await projectorsOf(theta, backbone, source, support, covariances, gamma, people);
  const { patches, targets } = await source.batch(support);
  const rows = people ? rowsOf(targets) : [];
  const loss = (logits: tf.Tensor) =>
    people
      ? meanOverPeople((own, right) => pguLoss(task, own, right), logits, rows, people)
      : pguLoss(task, logits, targets);
  /** The part of a weight's gradient that the kept directions do not span. */
  const freeOf = (gradient: tf.Tensor, projector: tf.Tensor) => {
    const matrix = tf.reshape(gradient, [gradient.shape[0], -1]);
    return tf.reshape(tf.sub(matrix, matMul(matrix, projector)), gradient.shape);
  };
  let current = mapWeights(theta, tf.clone);
  let first = NaN;
  const backend = activeWebgpu();
  if (backend && epochs > 2) {
    const moving = sumOf(backend, pick(theta, projectors), false);
    const at = { ...theta, ...moving.weights };
    const step = new Recorded(({ move }: Tensors) => {
      const { value, gradients } = queueLogitGradient(
        at,
        backbone,
        patches,
        loss,
      );
      const free = mapWeights(
        pick(gradients, projectors),
        (gradient, name) => freeOf(gradient, projectors[name]),
      );
      moving.add(free, move, "x");
      for (const weights of [gradients, free]) disposeWeights(weights);
      return { value };
    });
    const values = new Gathered();
    for (let epoch = 0; epoch < epochs; epoch++) {
      const move = tf.tensor1d([-cosine(learningRate, epoch, epochs)]);
      const { value } = step.run({ move });
      move.dispose();
      await values.add([value], ([loss]) => {
        if (epoch === 0) first = loss;
      });
    }
    await values.finish();
    disposeWeights(pick(current, projectors));
    current = { ...current, ...moving.copy() };
    step.dispose();
    moving.dispose();
  } else {for (let epoch = 0; epoch < epochs; epoch++) {
      const rate = cosine(learningRate, epoch, epochs);
      const { value, gradients } = await logitGradient(
        current,
        backbone,
        patches,
        loss,
      );
      if (epoch === 0) first = value;
      const next = mapWeights(current, (tensor, name) => {
        const projector = projectors[name];
        if (!projector) return tf.clone(tensor);
        return tf.sub(tensor, tf.mul(freeOf(gradients[name], projector), rate));
      });
      for (const weights of [current, gradients]) disposeWeights(weights);
      current = next;
    }}
  tf.dispose([patches, targets, ...rows]);
  if (made === undefined) disposeWeights(projectors);
  return { theta: current, value: first, ranks };
}
