import * as tf from "@tensorflow/tfjs";
import { chunks, type ImageSource } from "../data/image_source.ts";
import type { Task } from "../data/sample.ts";
import { metaLoss } from "../model/meta_loss.ts";
import { predict } from "../model/predict.ts";
import { taskLoss } from "../model/task_loss.ts";
import { vit, type VitShape } from "../model/vit.ts";
import { type Dual, dual, dualsOf, plain } from "../tensor/algebra.ts";
import {
  addScaled,
  disposeWeights,
  mapWeights,
  valueAndGradients,
  type Weights,
} from "../tensor/weights.ts";
import {
  type AuxiliaryForm,
  auxiliaryObjective,
  distance,
  type Measured,
} from "./auxiliary_objective.ts";
import {
  disposeStep,
  microBatchRanges,
  type Support,
  supportPatches,
  type UnlearningSettings,
  type UnlearningStep,
  unlearningStep,
} from "./unlearning_step.ts";

/** One batch of the auxiliary objective: image indices of the request's `source`. */
export interface AuxiliaryBatch {
  /** Df: the other images of the people in S. */
  readonly forget: readonly number[];
  /** Dv. */
  readonly val: readonly number[];
  /** K: images whose loss is held at its original value; empty without `keep`. */
  readonly keep: readonly number[];
}

/** What the meta-gradient is taken of. */
export interface MetaObjective extends UnlearningSettings {
  readonly form: AuxiliaryForm;
  /** w of the term w d(L(K; theta_u), L(K; theta)); beyond the paper. */
  readonly keepWeight: number;
  readonly task: Task;
  readonly source: ImageSource;
  /** Loss and metric of theta itself on these images, from predictions cached once. */
  original(indices: readonly number[]): Measured;
  /** Loss (mean) and metric of logits [b, labels] against the images' targets. */
  measure(logits: Float32Array, indices: readonly number[]): Measured;
}

/** dA/dphi and what is worth telling of the step. The caller disposes both sets of gradients. */
export interface MetaGradient {
  /** A, averaged over forget batches by size; with `keep`, its term included. */
  readonly value: number;
  /** h_phi(f_theta(S)). */
  readonly metaLoss: number;
  /** Task loss and metric on all forget images after the step. */
  readonly forget: Measured;
  readonly phi: Weights;
  /** dA / dlog s_k, scalars; absent with a global step size. */
  readonly logStepSizes?: Weights;
}

/** Mean task loss over `indices` at theta_u: its gradient and the logits, in micro-batches. */
async function lossGradient(
  theta: Weights,
  objective: MetaObjective,
  indices: readonly number[],
): Promise<{ gradient: Weights; logits: Float32Array }> {
  const { shape, source, task, microBatch } = objective;
  let gradient: Weights | null = null;
  const rows: Float32Array[] = [];
  for (const piece of chunks(indices, microBatch)) {
    const batch = source.batch(piece);
    let kept: tf.Tensor | undefined;
    const part = valueAndGradients((weights) => {
      const { logits } = vit(plain, weights, batch.patches, shape);
      kept = tf.keep(tf.clone(logits));
      return tf.mul(taskLoss(task, logits, batch.targets), piece.length / indices.length);
    }, theta);
    rows.push(await kept!.data() as Float32Array);
    tf.dispose([kept!, part.value, batch.patches, batch.targets]);
    gradient = accumulate(gradient, part.gradients, 1);
  }
  const logits = new Float32Array(rows.reduce((sum, row) => sum + row.length, 0));
  rows.reduce((at, row) => (logits.set(row, at), at + row.length), 0);
  return { gradient: gradient!, logits };
}

/** sum + scale term; takes both over and frees what it no longer needs. */
function accumulate(sum: Weights | null, term: Weights, scale: number): Weights {
  if (sum === null && scale === 1) return term;
  const next = sum === null
    ? mapWeights(term, (tensor) => tf.mul(tensor, scale))
    : addScaled(sum, term, scale);
  disposeWeights(sum);
  disposeWeights(term);
  return next;
}

/** v = dA/dtheta_u and A (Eq. 6, with the `keep` term), batch after batch. */
async function objectiveGradient(
  thetaUnlearned: Weights,
  objective: MetaObjective,
  batches: readonly AuxiliaryBatch[],
): Promise<{ value: number; v: Weights; forget: Measured }> {
  const { form, shape, source, microBatch, measure, original } = objective;
  const total = batches.reduce((sum, batch) => sum + batch.forget.length, 0);
  let v: Weights | null = null;
  let value = 0;
  let [loss, metric] = [0, 0];
  for (const { forget, val, keep } of batches) {
    const weight = forget.length / total;
    const { gradient, logits } = await lossGradient(thetaUnlearned, objective, forget);
    const measured = measure(logits, forget);
    const valUnlearned = form.terms === "second"
      ? null
      : measure((await predict(thetaUnlearned, shape, source, val, microBatch)).logits, val);
    const a = auxiliaryObjective(form, measured, valUnlearned, original(val));
    value += weight * a.value;
    loss += weight * measured.loss;
    metric += weight * measured.metric;
    v = accumulate(v, gradient, weight * a.slope);
    if (keep.length > 0) {
      const kept = await lossGradient(thetaUnlearned, objective, keep);
      const d = distance(form.distance, measure(kept.logits, keep).loss, original(keep).loss);
      value += weight * objective.keepWeight * d.value;
      v = accumulate(v, kept.gradient, weight * objective.keepWeight * d.slope);
    }
  }
  return { value, v: v!, forget: { loss, metric } };
}

/** J_theta f(S) direction: the tangents of logits and features of the support images. */
export function supportTangent(
  theta: Weights,
  direction: Weights,
  support: Support,
  shape: VitShape,
  microBatch: number,
): { logits: tf.Tensor; features: tf.Tensor } {
  const parts = microBatchRanges(support.rows.length, microBatch).map(([a, b]) =>
    tf.tidy(() => {
      const duals = dualsOf(theta, direction);
      const { logits, features } = vit<Dual>(dual, duals, supportPatches(support, a, b), shape);
      return { logits: logits.tangent!, features: features.tangent! };
    })
  );
  return tf.tidy(() => {
    const joined = {
      logits: tf.concat(parts.map((part) => part.logits)),
      features: tf.concat(parts.map((part) => part.features)),
    };
    parts.forEach((part) => tf.dispose([part.logits, part.features]));
    return joined;
  });
}

/**
 * dA/dphi of one simulated request, exactly and without a second-order pass through the backbone
 * (DESIGN section 3). With v = dA/dtheta_u and (l', f') = J_theta f(S) (s v):
 *
 *     dA/dphi = -eta d/dphi <d h_phi / d(logits, features), (l', f')>
 *
 * where the bracket is the tangent of h_phi along (l', f'): the meta-loss runs on dual numbers and
 * one ordinary gradient is taken of the tangent that comes out (reverse over forward).
 * Learned step sizes: dA/dlog s_k = -eta s_k <v_k, grad_k h>.
 */
export async function metaGradient(
  theta: Weights,
  phi: Weights,
  support: Support,
  batches: readonly AuxiliaryBatch[],
  objective: MetaObjective,
  logStepSizes?: Weights,
): Promise<MetaGradient> {
  const { metaLearningRate: eta, inputs, shape, microBatch } = objective;
  const step: UnlearningStep = await unlearningStep(theta, phi, support, objective, logStepSizes);
  const { value, v, forget } = await objectiveGradient(step.theta, objective, batches);

  const direction = logStepSizes
    ? mapWeights(v, (tensor, name) => tf.mul(tensor, tf.exp(logStepSizes[name])))
    : v;
  const tangent = supportTangent(theta, direction, support, shape, microBatch);
  const bracket = valueAndGradients((weights) => {
    const output = {
      logits: { primal: step.output.logits, tangent: tangent.logits },
      features: { primal: step.output.features, tangent: tangent.features },
    };
    return metaLoss<Dual>(dual, dualsOf(weights, {}), output, support, inputs).tangent!;
  }, phi);
  const dPhi = mapWeights(bracket.gradients, (tensor) => tf.mul(tensor, -eta));
  const dLogStepSizes = logStepSizes &&
    mapWeights(
      direction,
      (tensor, name) => tf.mul(tf.sum(tf.mul(tensor, step.gradient[name])), -eta),
    );

  const result = { value, metaLoss: step.value, forget, phi: dPhi, logStepSizes: dLogStepSizes };
  tf.dispose([tangent.logits, tangent.features, bracket.value]);
  disposeWeights(bracket.gradients);
  if (direction !== v) disposeWeights(direction);
  disposeWeights(v);
  disposeStep(step);
  return result;
}
