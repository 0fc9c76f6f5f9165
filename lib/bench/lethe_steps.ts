import { predict } from "../model/predict.ts";
import { taskLoss } from "../model/task_loss.ts";
import { vit } from "../model/vit.ts";
import { plain } from "../tensor/algebra.ts";
import { disposeWeights, valueAndGradients, type Weights } from "../tensor/weights.ts";
import { metaGradient } from "../unlearn/meta_gradient.ts";
import { disposeSupport, supportOf } from "../unlearn/meta_learn.ts";
import { disposeStep, unlearningStep } from "../unlearn/unlearning_step.ts";
import * as tf from "@tensorflow/tfjs";
import type { Workload } from "./workload.ts";

/** The steps that are measured, each on the workload's images. */
export interface Steps {
  /** Mean task loss of `images` and its gradient; the caller disposes both. */
  trainingStep(images: readonly number[]): { value: tf.Scalar; gradients: Weights };
  /** Logits of `images` on the host. */
  evaluation(images: readonly number[]): Promise<Float32Array>;
  /** theta - eta grad h_phi(f_theta(S)), owned by the caller. */
  unlearningStep(): Promise<Weights>;
  /** dA/dphi of one request with one forget and one validation batch, owned by the caller. */
  metaStep(): Promise<Weights>;
  dispose(): void;
}

/** The steps as Lethe's own commands take them. */
export function letheSteps(workload: Workload): Steps {
  const { theta, phi, objective, images, batch } = workload;
  const { shape, source, task } = objective;
  const rows = images.support.map((_, row) => row);
  const support = supportOf(objective, { support: images.support, rows });
  return {
    trainingStep(indices) {
      const { patches, targets } = source.batch(indices);
      const result = valueAndGradients(
        (weights) => taskLoss(task, vit(plain, weights, patches, shape).logits, targets),
        theta,
      );
      tf.dispose([patches, targets]);
      return result;
    },
    async evaluation(indices) {
      return (await predict(theta, shape, source, indices, batch)).logits;
    },
    async unlearningStep() {
      const step = await unlearningStep(theta, phi, support, objective);
      const moved = step.theta;
      disposeStep({ ...step, theta: {} });
      return moved;
    },
    async metaStep() {
      const batches = [{ forget: images.forget, val: images.val, keep: [] }];
      const gradient = await metaGradient(theta, phi, support, batches, objective);
      disposeWeights(gradient.logStepSizes);
      return gradient.phi;
    },
    dispose: () => disposeSupport(support),
  };
}
