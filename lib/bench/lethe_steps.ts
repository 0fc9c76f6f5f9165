import * as tf from "@tensorflow/tfjs";
import { predict, Predictor } from "../model/predict.ts";
import { taskLoss } from "../model/task_loss.ts";
import { vit } from "../model/vit.ts";
import { plain } from "../tensor/algebra.ts";
import { Recorded } from "../tensor/recording/recorded.ts";
import type { Tensors } from "../tensor/recording/recording.ts";
import { disposeWeights, mapWeights, valueAndGradients } from "../tensor/weights.ts";
import {
  disposeStep,
  queueUnlearningStep,
} from "../unlearn/meta_unlearn/algorithm1_unlearning_step.ts";
import {
  deviceBatches,
  disposeBatch,
  takesOnDevice,
} from "../unlearn/meta_unlearn/device_batch.ts";
import { metaGradient, queueMetaGradient } from "../unlearn/meta_unlearn/meta_gradient.ts";
import { disposeSupport } from "../unlearn/meta_unlearn/support.ts";
import { inputsOf, requestOf } from "../unlearn/meta_unlearn/meta_step_inputs.ts";
import type { Steps } from "./steps.ts";
import type { Workload } from "./workload.ts";

/** The steps as Lethe's own commands take them: recorded where they can be. */
export function letheSteps(workload: Workload): Steps {
  const { theta, phi, objective, images, batch } = workload;
  const { shape, source, task } = objective;
  const rows = images.support.map((_, row) => row);
  const support = { ...source.batch(images.support), rows };
  const training = new Recorded(({ patches, targets }: Tensors) => {
    const { value, gradients } = valueAndGradients(
      (weights) => taskLoss(task, vit(plain, weights, patches, shape).logits, targets),
      theta,
    );
    return { ...gradients, value } as Tensors;
  });
  const predictor = new Predictor(shape);
  const unlearning = new Recorded(({ patches, targets }: Tensors) => {
    const step = queueUnlearningStep(theta, phi, { patches, targets, rows }, objective);
    step.value.dispose();
    disposeStep({ ...step, theta: {} });
    return step.theta;
  });
  const meta = new Recorded((inputs: Tensors) => {
    const request = requestOf(inputs);
    const own = { ...request.support, rows };
    const gradient = queueMetaGradient(theta, phi, own, request.batches, objective);
    gradient.measured.dispose();
    return gradient.phi;
  });
  return {
    trainingStep(indices) {
      const inputs = { ...source.batch(indices) };
      const { value, ...gradients } = training.run(inputs);
      tf.dispose(Object.values(inputs));
      return { value: tf.clone(value) as tf.Scalar, gradients: mapWeights(gradients, tf.clone) };
    },
    async evaluation(indices) {
      const { logits } = await predict(
        theta,
        shape,
        source,
        indices,
        batch,
        undefined,
        "logits",
        predictor,
      );
      return logits;
    },
    unlearningStep() {
      const { patches, targets } = support;
      return Promise.resolve(mapWeights(unlearning.run({ patches, targets }), tf.clone));
    },
    async metaStep() {
      const batches = [{ forget: images.forget, val: images.val, keep: [] }];
      if (!takesOnDevice(objective, batches)) {
        const gradient = await metaGradient(theta, phi, support, batches, objective);
        disposeWeights(gradient.logStepSizes);
        return gradient.phi;
      }
      const uploaded = await deviceBatches(batches, objective);
      const gradient = mapWeights(meta.run(inputsOf(support, uploaded)), tf.clone);
      uploaded.forEach(disposeBatch);
      return gradient;
    },
    dispose() {
      disposeSupport(support);
      for (const recorded of [training, predictor, unlearning, meta]) recorded.dispose();
    },
  };
}
