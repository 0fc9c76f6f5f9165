import * as tf from "@tensorflow/tfjs";
import { predict } from "../model/predict.ts";
import { taskLoss } from "../model/task_loss.ts";
import { vit } from "../model/vit.ts";
import { plain } from "../tensor/algebra.ts";
import { disposeWeights, valueAndGradients } from "../tensor/weights.ts";
import { metaGradient } from "../unlearn/meta_unlearn/meta_gradient.ts";
import { disposeSupport } from "../unlearn/meta_unlearn/meta_learn.ts";
import { disposeStep, unlearningStep } from "../unlearn/meta_unlearn/algorithm1_unlearning_step.ts";
import type { Steps } from "./steps.ts";
import type { Workload } from "./workload.ts";

/** The steps as Lethe's own commands take them. */
export function letheSteps(workload: Workload): Steps {
  const { theta, phi, objective, images, batch } = workload;
  const { shape, source, task } = objective;
  const rows = images.support.map((_, row) => row);
  const support = { ...source.batch(images.support), rows };
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
