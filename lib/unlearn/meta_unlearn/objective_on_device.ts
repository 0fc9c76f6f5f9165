import * as tf from "@tensorflow/tfjs";
import type { Task } from "../../data/sample.ts";
import { customGradient } from "../../tensor/custom_gradient.ts";
import { runKernel } from "../../tensor/kernel.ts";
import { accumulate, type Weights } from "../../tensor/weights.ts";
import { logitsOf, queueLogitGradient } from "../logit_gradient.ts";
import type { AuxiliaryForm, Measured } from "./eq5_eq6_auxiliary_objective.ts";
import type { UnlearningSettings } from "./algorithm1_unlearning_step.ts";
import type { MetaObjective } from "./meta_objective.ts";

/**
 * A and its gradient, computed on the device as `eq5_eq6_auxiliary_objective.ts` does on the host: the
 * metric that scales a loss, the slopes and all, so that a step waits for no number.
 */

/** What of an objective the device needs to know. */
export type MetaSettings = UnlearningSettings & Pick<MetaObjective, "form" | "task" | "keepWeight">;

/** Images that a term is measured on. */
export interface TermImages {
  readonly patches: tf.Tensor;
  /** [b, labels] */
  readonly targets: tf.Tensor;
  /** [b]: one over the number of images that count, zero for those that fill the batch up. */
  readonly weights: tf.Tensor;
}

/** One forget batch with what belongs to it. */
export interface DeviceBatch {
  readonly forget: TermImages;
  /** Absent where the first term does not count. */
  readonly val?: TermImages;
  /** Loss, metric and label losses of theta on the validation images, {@link originalRow}. */
  readonly original: tf.Tensor;
  readonly keep?: TermImages & { readonly original: tf.Tensor };
  /** This batch's share of all forget images, a scalar. */
  readonly share: tf.Tensor;
}

/** What the original model said of images, as the device takes it: loss, metric, each label's loss. */
export function originalRow({ loss, metric, labelLosses }: Measured, labels: number): Float32Array {
  const row = new Float32Array(2 + labels);
  row.set([loss, metric]);
  row.set(labelLosses ?? [], 2);
  return row;
}

/** Attributes of `LetheObjective`. */
function flagsOf({ distance, terms, scaled, align }: AuxiliaryForm) {
  return {
    first: terms !== "second",
    second: terms !== "first",
    scaled,
    squared: distance === "l2",
    byLabel: align === "labels",
  };
}

/** `LetheMeasure` of images. */
function measured(task: Task, logits: tf.Tensor, { targets, weights }: TermImages): tf.Tensor {
  return runKernel("LetheMeasure", { logits, targets, weights }, {
    classes: task === "classes",
  })[0];
}

/**
 * A term of A as a function of the logits of its images.
 *
 * @param val what was measured on validation images at theta_u; null without the first term
 * @param onMeasured given A, loss and metric, [3]; to be kept by whoever wants them
 * @returns a scalar; differentiable with respect to the logits, the scales being constants
 */
export function term(
  task: Task,
  form: AuxiliaryForm,
  images: TermImages,
  val: tf.Tensor | null,
  original: tf.Tensor,
  onMeasured?: (row: tf.Tensor) => void,
): (logits: tf.Tensor) => tf.Tensor {
  const { targets, weights } = images;
  return customGradient((x, save) => {
    const logits = x as tf.Tensor;
    const own = measured(task, logits, images);
    const inputs: Record<string, tf.Tensor> = { own, original, ...val ? { val } : {} };
    const [objective] = runKernel("LetheObjective", inputs, flagsOf(form));
    (save as tf.GradSaveFunc)([logits, objective]);
    onMeasured?.(tf.slice(objective, [0], [3]));
    return {
      value: tf.reshape(tf.slice(objective, [0], [1]), []),
      gradFunc: (dy: tf.Tensor, [logits, objective]: tf.Tensor[]) =>
        task === "multi-label"
          ? runKernel("LetheObjectiveGrad", { dy, logits, targets, weights, objective })[0]
          : tf.mul(
            tf.mul(tf.sub(tf.softmax(logits), targets), tf.reshape(weights, [-1, 1])),
            tf.mul(dy, tf.slice(objective, [3], [1])),
          ),
    };
  });
}

/** What {@link queueObjectiveGradient} gives; the caller's. */
export interface ObjectiveGradient {
  /** A, task loss and metric of the forget images: [3]. */
  readonly measured: tf.Tensor;
  /** dA / dtheta_u. */
  readonly v: Weights;
}

/** v = dA/dtheta_u and A (Eq. 6, with the `keep` term), batch after batch, waiting for nothing. */
export function queueObjectiveGradient(
  thetaUnlearned: Weights,
  objective: MetaSettings,
  batches: readonly DeviceBatch[],
): ObjectiveGradient {
  const { form, task, keepWeight } = objective;
  let v: Weights | null = null;
  let all: tf.Tensor | null = null;
  const add = (
    images: TermImages,
    share: tf.Tensor,
    of: (onMeasured: (row: tf.Tensor) => void) => (logits: tf.Tensor) => tf.Tensor,
    counts: readonly number[],
  ) => {
    let row: tf.Tensor | undefined;
    const loss = of((measured) => row = tf.keep(tf.clone(measured)));
    const { value, gradients } = queueLogitGradient(
      thetaUnlearned,
      objective,
      images.patches,
      (logits) => tf.mul(loss(logits), share),
    );
    value.dispose();
    const before = all;
    all = tf.tidy(() => {
      const own = tf.mul(tf.mul(row!, share), tf.tensor1d([...counts]));
      return before ? tf.add(before, own) : own;
    });
    tf.dispose([row!, ...before ? [before] : []]);
    v = accumulate(v, gradients);
  };
  for (const { forget, val, original, keep, share } of batches) {
    const onVal = val
      ? tf.tidy(() => measured(task, logitsOf(thetaUnlearned, objective, val.patches), val))
      : null;
    add(forget, share, (on) => term(task, form, forget, onVal, original, on), [1, 1, 1]);
    onVal?.dispose();
    if (!keep) continue;
    // The keep term is Eq. 5's second one alone: K's loss is held at theta's, with no metric as a factor.
    const plainForm: AuxiliaryForm = { ...form, terms: "second", scaled: false };
    const weight = tf.mul(share, keepWeight);
    add(keep, weight, (on) => term(task, plainForm, keep, null, keep.original, on), [1, 0, 0]);
    weight.dispose();
  }
  return { measured: all!, v: v! };
}
