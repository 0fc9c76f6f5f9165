import * as tf from "@tensorflow/tfjs";
import { chunks } from "../../data/loader/image_source.ts";
import { divergence } from "../../model/distillation.ts";
import { predict } from "../../model/predict.ts";
import { taskLoss } from "../../model/task_loss.ts";
import { vit } from "../../model/vit.ts";
import { plain } from "../../tensor/algebra.ts";
import { accumulate, mapWeights, type Weights } from "../../tensor/weights.ts";
import type { Measured } from "../meta_unlearn/eq5_eq6_auxiliary_objective.ts";
import { logitGradient } from "../logit_gradient.ts";
import type { AuxiliaryBatch, MetaObjective } from "../meta_unlearn/meta_objective.ts";
import { SCRUB } from "./scrub.ts";

/**
 * SCRUB's loss as the auxiliary objective (Table 5, first row), per forget batch with one validation
 * batch in the retained images' place, averaged over forget batches by size:
 *
 *     A = -KL(theta(Df) || theta_u(Df)) + 0.001 KL(theta(Dv) || theta_u(Dv)) + 0.99 L(Dv; theta_u)
 *
 * with the divergences at SCRUB's temperature. Nothing bounds its first term from below.
 *
 * @param theta the original model, the teacher
 * @returns A; v = dA / dtheta_u, which the caller disposes; loss and metric on the forget images
 */
export async function scrubObjectiveGradient(
  theta: Weights,
  thetaUnlearned: Weights,
  objective: MetaObjective,
  batches: readonly AuxiliaryBatch[],
): Promise<{ value: number; v: Weights; forget: Measured }> {
  const { shape, source, task, microBatch, measure } = objective;
  const total = batches.reduce((sum, batch) => sum + batch.forget.length, 0);
  let v = mapWeights(thetaUnlearned, tf.zerosLike);
  let [value, loss, metric] = [0, 0, 0];

  const descend = async (
    indices: readonly number[],
    weight: number,
    of: (student: tf.Tensor, teacher: tf.Tensor, targets: tf.Tensor) => tf.Tensor,
  ) => {
    for (const piece of chunks(indices, microBatch)) {
      const { patches, targets } = await source.batch(piece);
      const teacher = tf.tidy(() => vit(plain, theta, patches, shape).logits);
      const part = await logitGradient(
        thetaUnlearned,
        { shape, microBatch },
        patches,
        (logits) => of(logits, teacher, targets),
      );
      const share = weight * piece.length / indices.length;
      v = accumulate(v, part.gradients, share);
      tf.dispose([patches, targets, teacher]);
      value += share * part.value;
    }
  };
  for (const { forget, val } of batches) {
    const weight = forget.length / total;
    await descend(
      forget,
      weight,
      (student, teacher) => tf.neg(divergence(student, teacher, SCRUB.temperature)),
    );
    await descend(val, weight, (student, teacher, targets) =>
      tf.add(
        tf.mul(divergence(student, teacher, SCRUB.temperature), SCRUB.alpha),
        tf.mul(taskLoss(task, student, targets), SCRUB.gamma),
      ));
    const { logits } = await predict(thetaUnlearned, shape, source, forget, microBatch);
    const measured = measure(logits, forget);
    loss += weight * measured.loss;
    metric += weight * measured.metric;
  }
  return { value, v, forget: { loss, metric } };
}
