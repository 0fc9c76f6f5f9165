import * as tf from "@tensorflow/tfjs";
import { meanAveragePrecision } from "../measure/average_precision.ts";
import { meanLoss } from "../measure/loss.ts";
import { META_LOSS_INPUTS } from "../model/meta_loss_inputs.ts";
import { uploadWeights } from "../model/device_weights.ts";
import { predict } from "../model/predict.ts";
import { taskLoss } from "../model/task_loss.ts";
import { vit } from "../model/vit.ts";
import { plain } from "../tensor/algebra.ts";
import { disposeWeights, valueAndGradients, type Weights } from "../tensor/weights.ts";
import type { AuxiliaryForm, Measured } from "../unlearn/auxiliary_objective.ts";
import { metaGradient } from "../unlearn/meta_gradient.ts";
import type { MetaObjective } from "../unlearn/meta_objective.ts";
import { disposeStep, type Support, unlearningStep } from "../unlearn/unlearning_step.ts";
import { compareGolden, type Computed, computedOf, type SelfcheckGroup } from "./compare_golden.ts";
import { type Golden, goldenTensor } from "./golden.ts";
import { goldenPatches, goldenSource } from "./golden_images.ts";
import { selfcheckMethods } from "./selfcheck_methods.ts";

/** A tensor passes within this share of its own largest expected magnitude. */
const TOLERANCE = 1e-4;

/**
 * Recomputes golden numbers on the active device and tells the largest relative error per group:
 * forward, task gradient, unlearned weights, auxiliary values, every meta-gradient variant, and the
 * methods that MetaUnlearn is compared with.
 *
 * It is how a GPU owner learns whether their driver computes right. All tensors it makes are freed.
 */
export async function selfcheck(golden: Golden): Promise<SelfcheckGroup[]> {
  const engine = tf.engine();
  engine.startScope();
  try {
    return [...await recompute(golden), ...await selfcheckMethods(golden)];
  } finally {
    engine.endScope();
  }
}

/** {@link compareGolden} with MetaUnlearn's numbers. */
function compare(name: string, computed: Computed, { expected }: Golden): SelfcheckGroup {
  return compareGolden(name, computed, expected, TOLERANCE);
}

async function recompute(golden: Golden): Promise<SelfcheckGroup[]> {
  const { shape, labels, metaLearningRate } = golden;
  const [theta, phi] = [uploadWeights(golden.model), uploadWeights(golden.metaLoss)];
  const part = (name: string) => ({
    images: goldenTensor(golden.batch, `${name}.images`),
    targets: goldenTensor(golden.batch, `${name}.targets`),
  });
  const { source, indices: [forget, val] } = goldenSource(golden, [part("forget"), part("val")]);
  const supportTargets = goldenTensor(golden.batch, "support.targets");
  const support: Support = {
    patches: goldenPatches(golden, goldenTensor(golden.batch, "support.images")),
    targets: tf.tensor(supportTargets.values, [...supportTargets.shape]),
    rows: [...goldenTensor(golden.batch, "support.identities").values],
  };
  const measure = (logits: Float32Array, indices: readonly number[]): Measured => {
    const targets = source.targets(indices);
    return {
      loss: meanLoss("multi-label", logits, targets, labels),
      metric: meanAveragePrecision(logits, targets, labels),
    };
  };
  const settings = {
    metaLearningRate,
    inputs: META_LOSS_INPUTS,
    shape,
    microBatch: forget.length + val.length,
  };

  const step = await unlearningStep(theta, phi, support, settings);
  const batch = source.batch(forget);
  const task = valueAndGradients(
    (weights) =>
      taskLoss("multi-label", vit(plain, weights, batch.patches, shape).logits, batch.targets),
    theta,
  );
  const at = async (weights: Weights, indices: readonly number[]) =>
    measure((await predict(weights, shape, source, indices, settings.microBatch)).logits, indices);
  const [forgot, valUnlearned, valOriginal] = [
    await at(step.theta, forget),
    await at(step.theta, val),
    await at(theta, val),
  ];

  const values: Computed = {
    "aux.map.forget": [forgot.metric],
    "aux.map.val_unlearned": [valUnlearned.metric],
    "aux.map.val_original": [valOriginal.metric],
    "aux.loss.forget": [forgot.loss],
    "aux.loss.val_unlearned": [valUnlearned.loss],
    "aux.loss.val_original": [valOriginal.loss],
  };
  const variants: SelfcheckGroup[] = [];
  for (const form of variantsOf()) {
    const name = `${form.distance}.${form.scaled ? "scaled" : "plain"}.${form.terms}`;
    const objective: MetaObjective = {
      ...settings,
      form,
      keepWeight: 0,
      task: "multi-label",
      source,
      original: () => valOriginal,
      measure,
    };
    const gradient = await metaGradient(
      theta,
      phi,
      support,
      [{ forget, val, keep: [] }],
      objective,
    );
    values[`aux.${name}`] = [gradient.value];
    const computed = await computedOf(gradient.phi, `metagrad.${name}.`);
    variants.push(compare(`meta-gradient, ${name}`, computed, golden));
    disposeWeights(gradient.phi);
  }

  const groups = [
    compare("forward", {
      "support.logits": await step.output.logits.data(),
      "support.features": await step.output.features.data(),
      "task.loss.forget": await task.value.data(),
      "meta.value": [step.value],
    }, golden),
    compare("task gradient", await computedOf(task.gradients, "task.grad."), golden),
    compare("unlearned weights", await computedOf(step.theta, "unlearned."), golden),
    compare("auxiliary values", values, golden),
    ...variants,
  ];
  disposeStep(step);
  return groups;
}

/** Every form of Eq. 5 and 6 that the golden numbers cover. */
function variantsOf(): AuxiliaryForm[] {
  const forms: AuxiliaryForm[] = [];
  for (const distance of ["smooth_l1", "l2"] as const) {
    for (const scaled of [true, false]) {
      for (const terms of ["both", "first", "second"] as const) {
        forms.push({ distance, scaled, terms, align: "mean" });
      }
    }
  }
  return forms;
}
