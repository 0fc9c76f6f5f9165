import * as tf from "@tensorflow/tfjs";
import { metaLoss } from "../../model/meta_loss/meta_loss.ts";
import { vit, type VitShape } from "../../model/vit.ts";
import { type Dual, dual, dualsOf } from "../../tensor/algebra.ts";
import {
  disposeWeights,
  mapWeights,
  numberwise,
  valueAndGradients,
  type Weights,
} from "../../tensor/weights.ts";
import type { Measured } from "./eq5_eq6_auxiliary_objective.ts";
import type { AuxiliaryBatch, MetaObjective } from "./meta_objective.ts";
import { objectiveGradient } from "./objective_gradient.ts";
import { scrubObjectiveGradient } from "../compared/scrub_objective.ts";
import {
  disposeStep,
  microBatchRanges,
  queueUnlearningStep,
  type Support,
  supportPatches,
  type UnlearningSettings,
  type UnlearningStep,
  unlearningStep,
} from "./algorithm1_unlearning_step.ts";
import { deviceBatches, disposeBatch, takesOnDevice } from "./device_batch.ts";
import {
  type DeviceBatch,
  type MetaSettings,
  queueObjectiveGradient,
} from "./objective_on_device.ts";

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
  readonly logStepSizes?: Weights | undefined;
}

/** J_theta f(S) direction: the tangents of logits and features of the support images. */
export function supportTangent(
  theta: Weights,
  direction: Weights,
  support: Support,
  shape: VitShape,
  microBatch: number,
): { logits: tf.Tensor; features: tf.Tensor } {
  const parts = microBatchRanges(support.targets.shape[0], microBatch).map(([a, b]) =>
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
 * (.github/ARCHITECTURE.md, section 3). With v = dA/dtheta_u and (l', f') = J_theta f(S) (s v):
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
  if (takesOnDevice(objective, batches)) {
    const own = await deviceBatches(batches, objective);
    const { measured, ...gradients } = queueMetaGradient(
      theta,
      phi,
      support,
      own,
      objective,
      logStepSizes,
    );
    own.forEach(disposeBatch);
    const [value, loss, metric, metaLoss] = await measured.data();
    measured.dispose();
    return { value, metaLoss, forget: { loss, metric }, ...gradients };
  }
  const step = await unlearningStep(theta, phi, support, objective, logStepSizes);
  const { value, v, forget } = objective.form.terms === "scrub"
    ? await scrubObjectiveGradient(theta, step.theta, objective, batches)
    : await objectiveGradient(step.theta, objective, batches);
  const gradients = gradientThrough(step, v, theta, phi, support, objective, logStepSizes);
  disposeWeights(v);
  disposeStep({ ...step });
  return { value, metaLoss: step.value, forget, ...gradients };
}

/** What {@link queueMetaGradient} gives; the caller's. */
export interface QueuedMetaGradient {
  /** A, loss and metric of the forget images, h_phi(f_theta(S)): [4]. */
  readonly measured: tf.Tensor;
  readonly phi: Weights;
  readonly logStepSizes?: Weights | undefined;
}

/** As {@link metaGradient} where {@link takesOnDevice}, waiting for nothing. */
export function queueMetaGradient(
  theta: Weights,
  phi: Weights,
  support: Support,
  batches: readonly DeviceBatch[],
  objective: MetaSettings,
  logStepSizes?: Weights,
): QueuedMetaGradient {
  const step = queueUnlearningStep(theta, phi, support, objective, logStepSizes);
  const { measured, v } = queueObjectiveGradient(step.theta, objective, batches);
  const gradients = gradientThrough(step, v, theta, phi, support, objective, logStepSizes);
  const all = tf.tidy(() => tf.concat([measured, tf.reshape(step.value, [1])]));
  disposeWeights(v);
  disposeStep(step);
  tf.dispose([measured, step.value]);
  return { measured: all, ...gradients };
}

/** dA/dphi, and with learned step sizes dA/dlog s, through an unlearning step whose v is known. */
function gradientThrough(
  step: Pick<UnlearningStep, "gradient" | "output">,
  v: Weights,
  theta: Weights,
  phi: Weights,
  support: Support,
  { metaLearningRate: eta, inputs, shape, microBatch }: UnlearningSettings,
  logStepSizes?: Weights,
): { phi: Weights; logStepSizes?: Weights | undefined } {
  const direction = logStepSizes
    ? mapWeights(
      v,
      (tensor, name) => numberwise((list) => tf.mul(list, tf.exp(logStepSizes[name])), tensor),
    )
    : v;
  const tangent = supportTangent(theta, direction, support, shape, microBatch);
  const bracket = valueAndGradients((weights) => {
    const output = {
      logits: { primal: step.output.logits, tangent: tangent.logits },
      features: { primal: step.output.features, tangent: tangent.features },
    };
    return metaLoss<Dual>(dual, dualsOf(weights, {}), output, support, inputs).tangent!;
  }, phi);
  const result = {
    phi: mapWeights(bracket.gradients, (tensor) => tf.mul(tensor, -eta)),
    logStepSizes: logStepSizes && mapWeights(
      direction,
      (tensor, name) => {
        const [along, slope] = [tensor, step.gradient[name]].map((of) => tf.reshape(of, [-1]));
        return tf.mul(tf.sum(tf.mul(along, slope)), -eta);
      },
    ),
  };
  tf.dispose([tangent.logits, tangent.features, bracket.value]);
  disposeWeights(bracket.gradients);
  if (direction !== v) disposeWeights(direction);
  return result;
}
