import * as tf from "@tensorflow/tfjs";
import { chunks, type ImageSource } from "../data/image_source.ts";
import type { Task } from "../data/sample.ts";
import { metaLoss } from "../model/meta_loss.ts";
import { predict } from "../model/predict.ts";
import { taskLoss, weightedLabelLoss } from "../model/task_loss.ts";
import { vit, type VitShape } from "../model/vit.ts";
import { type Dual, dual, dualsOf, plain } from "../tensor/algebra.ts";
import { Reads } from "../tensor/reads.ts";
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
  keepObjective,
  labelObjective,
  type Measured,
} from "./auxiliary_objective.ts";
import { scrubObjectiveGradient } from "./scrub_objective.ts";
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

/**
 * Gradient at theta_u of the mean task loss over `indices`, or with weights of sum_l w_l L_l, in
 * micro-batches; and the logits that were met on the way.
 */
async function lossGradient(
  theta: Weights,
  objective: MetaObjective,
  indices: readonly number[],
  labelWeights?: ArrayLike<number>,
): Promise<{ gradient: Weights; logits: Float32Array }> {
  const { shape, source, task, microBatch } = objective;
  let gradient: Weights | null = null;
  const rows: Float32Array[] = [];
  const reads = new Reads();
  for (const [i, piece] of chunks(indices, microBatch).entries()) {
    const batch = source.batch(piece);
    let kept: tf.Tensor | undefined;
    const part = valueAndGradients((weights) => {
      const { logits } = vit(plain, weights, batch.patches, shape);
      kept = tf.keep(tf.clone(logits));
      const loss = labelWeights
        ? weightedLabelLoss(logits, batch.targets, labelWeights)
        : taskLoss(task, logits, batch.targets);
      return tf.mul(loss, piece.length / indices.length);
    }, theta);
    const read = kept!.data();
    tf.dispose([part.value, batch.patches, batch.targets]);
    gradient = accumulate(gradient, part.gradients, 1);
    await reads.add(read.then((logits) => {
      kept!.dispose();
      rows[i] = logits as Float32Array;
    }));
  }
  await reads.finish();
  const logits = new Float32Array(rows.reduce((sum, row) => sum + row.length, 0));
  rows.reduce((at, row) => (logits.set(row, at), at + row.length), 0);
  return { gradient: gradient!, logits };
}

/**
 * A term of A that depends on theta_u through the losses of some images: its value, its gradient and
 * what was measured. Aligning means takes one pass, since one slope scales the whole gradient; aligning
 * labels takes a forward pass first, since each label's slope weighs its own loss.
 */
async function termGradient(
  theta: Weights,
  objective: MetaObjective,
  indices: readonly number[],
  term: (measured: Measured) => { value: number; slopes: ArrayLike<number> },
): Promise<{ value: number; slope: number; gradient: Weights; measured: Measured }> {
  const { shape, source, microBatch, measure, form } = objective;
  if (form.align === "mean") {
    const { gradient, logits } = await lossGradient(theta, objective, indices);
    const measured = measure(logits, indices);
    const { value, slopes } = term(measured);
    return { value, slope: slopes[0], gradient, measured };
  }
  const { logits } = await predict(theta, shape, source, indices, microBatch);
  const measured = measure(logits, indices);
  const { value, slopes } = term(measured);
  const { gradient } = await lossGradient(theta, objective, indices, slopes);
  return { value, slope: 1, gradient, measured };
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
  const { form, shape, source, microBatch, measure, original, keepWeight } = objective;
  const total = batches.reduce((sum, batch) => sum + batch.forget.length, 0);
  let v: Weights | null = null;
  let value = 0;
  let [loss, metric] = [0, 0];
  for (const { forget, val, keep } of batches) {
    const weight = forget.length / total;
    const valUnlearned = form.terms === "second"
      ? null
      : measure((await predict(thetaUnlearned, shape, source, val, microBatch)).logits, val);
    const aligned = await termGradient(thetaUnlearned, objective, forget, (measured) => {
      if (form.align === "labels") {
        return labelObjective(form, measured, valUnlearned, original(val));
      }
      const a = auxiliaryObjective(form, measured, valUnlearned, original(val));
      return { value: a.value, slopes: [a.slope] };
    });
    value += weight * aligned.value;
    loss += weight * aligned.measured.loss;
    metric += weight * aligned.measured.metric;
    v = accumulate(v, aligned.gradient, weight * aligned.slope);
    if (keep.length > 0) {
      const kept = await termGradient(
        thetaUnlearned,
        objective,
        keep,
        (measured) => keepObjective(form, measured, original(keep)),
      );
      value += weight * keepWeight * kept.value;
      v = accumulate(v, kept.gradient, weight * keepWeight * kept.slope);
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
  const { value, v, forget } = objective.form.terms === "scrub"
    ? await scrubObjectiveGradient(theta, step.theta, objective, batches)
    : await objectiveGradient(step.theta, objective, batches);

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
