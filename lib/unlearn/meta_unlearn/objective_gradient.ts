import * as tf from "@tensorflow/tfjs";
import { meanLoss } from "../../measure/loss.ts";
import { chunks } from "../../data/loader/image_source.ts";
import { predict } from "../../model/predict.ts";
import { taskLoss, weightedLabelLoss } from "../../model/task_loss.ts";
import { vit } from "../../model/vit.ts";
import { plain } from "../../tensor/algebra.ts";
import { Reads } from "../../tensor/reads.ts";
import { accumulate, valueAndGradients, type Weights } from "../../tensor/weights.ts";
import {
  auxiliaryObjective,
  keepObjective,
  labelObjective,
  type Measured,
} from "./eq5_eq6_auxiliary_objective.ts";
import type { Answers } from "../memory/divergence.ts";
import type { AuxiliaryBatch, MetaObjective } from "./meta_objective.ts";

/**
 * Gradient at theta_u of the mean task loss over `indices`, or with weights of sum_l w_l L_l, or against
 * what is due in place of the targets, in micro-batches; and the logits that were met on the way.
 */
async function lossGradient(
  theta: Weights,
  objective: MetaObjective,
  indices: readonly number[],
  labelWeights?: ArrayLike<number>,
  due?: Answers,
): Promise<{ gradient: Weights; logits: Float32Array }> {
  const { shape, source, task, microBatch } = objective;
  let gradient: Weights | null = null;
  const rows: Float32Array[] = [];
  const reads = new Reads();
  for (const [i, piece] of chunks(indices, microBatch).entries()) {
    const batch = await source.batch(piece);
    const targets = due ? tf.tensor(due(piece), batch.targets.shape) : batch.targets;
    let kept: tf.Tensor | undefined;
    const part = valueAndGradients((weights) => {
      const { logits } = vit(plain, weights, batch.patches, shape);
      kept = tf.keep(tf.clone(logits));
      const loss = labelWeights
        ? weightedLabelLoss(logits, targets, labelWeights)
        : taskLoss(task, logits, targets);
      return tf.mul(loss, piece.length / indices.length);
    }, theta);
    const read = kept!.data();
    tf.dispose([part.value, batch.patches, batch.targets, targets]);
    gradient = accumulate(gradient, part.gradients);
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
  if (form.align !== "labels") {
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

/** v = dA/dtheta_u and A (Eq. 6, with the `keep` term), batch after batch. */
export async function objectiveGradient(
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
    if (form.align === "folds") {
      const told = await referenceGradient(thetaUnlearned, objective, forget);
      value += weight * told.value;
      loss += weight * told.measured.loss;
      metric += weight * told.measured.metric;
      v = accumulate(v, told.gradient, weight);
      ({ value, v } = await withKept(thetaUnlearned, objective, keep, weight, { value, v }));
      continue;
    }
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
    ({ value, v } = await withKept(thetaUnlearned, objective, keep, weight, { value, v }));
  }
  return { value, v: v!, forget: { loss, metric } };
}

/** The cross entropy with what the fold models say of images, and its gradient. */
async function referenceGradient(
  theta: Weights,
  objective: MetaObjective,
  indices: readonly number[],
): Promise<{ value: number; gradient: Weights; measured: Measured }> {
  const { reference, task, measure } = objective;
  if (!reference) throw new TypeError("aligning with folds needs what their models say");
  const { gradient, logits } = await lossGradient(theta, objective, indices, undefined, reference);
  const due = reference(indices);
  const value = meanLoss(task, logits, due, due.length / indices.length);
  return { value, gradient, measured: measure(logits, indices) };
}

/** Adds the keep term of a batch. @param so A and v before, v taken over */
async function withKept(
  theta: Weights,
  objective: MetaObjective,
  keep: readonly number[],
  weight: number,
  so: { readonly value: number; readonly v: Weights },
): Promise<{ value: number; v: Weights }> {
  if (keep.length === 0) return so;
  const { form, original, keepWeight } = objective;
  const kept = await termGradient(
    theta,
    objective,
    keep,
    (measured) => keepObjective(form, measured, original(keep)),
  );
  return {
    value: so.value + weight * keepWeight * kept.value,
    v: accumulate(so.v, kept.gradient, weight * keepWeight * kept.slope),
  };
}
