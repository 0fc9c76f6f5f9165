import * as tf from "@tensorflow/tfjs";
import { metaLoss, type MetaLossConstants } from "../../model/meta_loss/meta_loss.ts";
import type { MetaLossInput } from "../../model/meta_loss/meta_loss_inputs.ts";
import { vit, type VitOutput, type VitShape } from "../../model/vit.ts";
import { plain } from "../../tensor/algebra.ts";
import {
  addScaled,
  disposeWeights,
  mapWeights,
  numberwise,
  valueAndGradients,
  type Weights,
} from "../../tensor/weights.ts";

/** A request on the device: the support set S, one image per identity. Its maker disposes it. */
export interface Support extends MetaLossConstants {
  /** Patch rows of the s support images, in the order of `targets`. */
  readonly patches: tf.Tensor;
}

/** What fixes the unlearning step besides theta, phi and S. */
export interface UnlearningSettings {
  /** eta: the learning rate of the unlearning step. */
  readonly metaLearningRate: number;
  /** The meta-loss's inputs (Table 6). */
  readonly inputs: readonly MetaLossInput[];
  readonly shape: VitShape;
  /** Images per pass through the backbone. */
  readonly microBatch: number;
}

/** theta_u and what the meta-gradient reuses. The caller disposes it with {@link disposeStep}. */
export interface UnlearningStep {
  /** h_phi(f_theta(S)). */
  readonly value: number;
  /** theta_u. */
  readonly theta: Weights;
  /** g = grad_theta h_phi(f_theta(S)), before step sizes. */
  readonly gradient: Weights;
  /** f_theta(S): logits [s, labels], features [s, dim]. */
  readonly output: VitOutput<tf.Tensor>;
}

/** Frees what {@link unlearningStep} gave. */
export function disposeStep(step: Omit<UnlearningStep, "value">): void {
  disposeWeights(step.theta);
  disposeWeights(step.gradient);
  tf.dispose([step.output.logits, step.output.features]);
}

/** Images a..b of a support set: their patch rows. The caller disposes the result. */
export function supportPatches(support: Support, a: number, b: number): tf.Tensor {
  const images = support.targets.shape[0];
  if (a === 0 && b === images) return tf.clone(support.patches);
  const perImage = support.patches.shape[0] / images;
  return tf.slice(support.patches, [a * perImage, 0], [(b - a) * perImage, -1]);
}

/** Consecutive [from, to) ranges over s images. */
export function microBatchRanges(s: number, microBatch: number): [number, number][] {
  const ranges: [number, number][] = [];
  for (let a = 0; a < s; a += microBatch) ranges.push([a, Math.min(s, a + microBatch)]);
  return ranges;
}

/** h_phi(f_theta(S)), its gradient and f_theta(S); all the caller's. */
interface MetaLossGradient {
  readonly value: tf.Scalar;
  readonly gradient: Weights;
  readonly output: VitOutput<tf.Tensor>;
}

/** A request that fits into one pass takes it through backbone and meta-loss together. */
function inOnePass(
  theta: Weights,
  phi: Weights,
  support: Support,
  { shape, inputs }: UnlearningSettings,
): MetaLossGradient {
  let output: VitOutput<tf.Tensor> | undefined;
  const { value, gradients } = valueAndGradients((weights) => {
    const { logits, features } = vit(plain, weights, support.patches, shape, true);
    output = { logits: tf.keep(tf.clone(logits)), features: tf.keep(tf.clone(features)) };
    return metaLoss(plain, phi, { logits, features }, support, inputs);
  }, theta);
  return { value, gradient: gradients, output: output! };
}

/**
 * A larger one goes through the meta-loss first and then, with that cotangent, through the backbone in
 * micro-batches, so memory does not grow with the number of people.
 */
function inMicroBatches(
  theta: Weights,
  phi: Weights,
  support: Support,
  { shape, inputs }: UnlearningSettings,
  ranges: readonly [number, number][],
): MetaLossGradient {
  const output = tf.tidy(() => {
    const parts = ranges.map(([a, b]) => vit(plain, theta, supportPatches(support, a, b), shape));
    return {
      logits: tf.concat(parts.map((part) => part.logits)),
      features: tf.concat(parts.map((part) => part.features)),
    };
  });
  const meta = valueAndGradients(
    ({ logits, features }) => metaLoss(plain, phi, { logits, features }, support, inputs),
    { ...output },
  );

  let gradient: Weights | null = null;
  for (const [a, b] of ranges) {
    const patches = supportPatches(support, a, b);
    const cotangent = (name: "logits" | "features") =>
      tf.slice(meta.gradients[name], [a, 0], [b - a, -1]);
    const part = valueAndGradients((weights) => {
      const { logits, features } = vit(plain, weights, patches, shape, true);
      return tf.add(
        tf.sum(tf.mul(logits, cotangent("logits"))),
        tf.sum(tf.mul(features, cotangent("features"))),
      );
    }, theta);
    patches.dispose();
    part.value.dispose();
    if (gradient === null) gradient = part.gradients;
    else {
      const before: Weights = gradient;
      gradient = mapWeights(before, (tensor, name) => tf.add(tensor, part.gradients[name]));
      disposeWeights(before);
      disposeWeights(part.gradients);
    }
  }
  disposeWeights(meta.gradients);
  return { value: meta.value, gradient: gradient!, output };
}

/**
 * Algorithm 1, the unlearning step: theta_u = theta - eta grad_theta h_phi(f_theta(S)), all identities
 * of S at once; with learned step sizes, tensor k moves by eta s_k instead.
 *
 * @param logStepSizes log s_k, a scalar per tensor of theta; absent: all s_k are 1
 */
export async function unlearningStep(
  theta: Weights,
  phi: Weights,
  support: Support,
  settings: UnlearningSettings,
  logStepSizes?: Weights,
): Promise<UnlearningStep> {
  const step = queueUnlearningStep(theta, phi, support, settings, logStepSizes);
  const [value] = await step.value.data();
  step.value.dispose();
  return { ...step, value };
}

/** As {@link unlearningStep}, waiting for nothing: the value is a scalar, the caller's. */
export function queueUnlearningStep(
  theta: Weights,
  phi: Weights,
  support: Support,
  settings: UnlearningSettings,
  logStepSizes?: Weights,
): Omit<UnlearningStep, "value"> & { readonly value: tf.Scalar } {
  const { metaLearningRate } = settings;
  const ranges = microBatchRanges(support.targets.shape[0], settings.microBatch);
  const { value, gradient, output } = ranges.length === 1
    ? inOnePass(theta, phi, support, settings)
    : inMicroBatches(theta, phi, support, settings, ranges);
  const moved = logStepSizes
    ? mapWeights(theta, (tensor, name) =>
      numberwise(
        (before, slope) =>
          tf.sub(before, tf.mul(tf.mul(slope, metaLearningRate), tf.exp(logStepSizes[name]))),
        tensor,
        gradient[name],
      ))
    : addScaled(theta, gradient, -metaLearningRate);
  return { value: value as tf.Scalar, theta: moved, gradient, output };
}
