import * as tf from "@tensorflow/tfjs";
import { meanAveragePrecision } from "../measure/average_precision.ts";
import { meanLoss } from "../measure/loss.ts";
import { META_LOSS_INPUTS } from "../model/meta_loss/meta_loss_inputs.ts";
import { uploadWeights } from "../model/device_weights.ts";
import { predict } from "../model/predict.ts";
import { taskLoss } from "../model/task_loss.ts";
import { vit } from "../model/vit.ts";
import { plain } from "../tensor/algebra.ts";
import { precision } from "../tensor/precision.ts";
import { disposeWeights, valueAndGradients, type Weights } from "../tensor/weights.ts";
import type {
  AuxiliaryForm,
  Measured,
} from "../unlearn/meta_unlearn/eq5_eq6_auxiliary_objective.ts";
import { metaGradient } from "../unlearn/meta_unlearn/meta_gradient.ts";
import type { MetaObjective } from "../unlearn/meta_unlearn/meta_objective.ts";
import {
  disposeStep,
  type Support,
  unlearningStep,
} from "../unlearn/meta_unlearn/algorithm1_unlearning_step.ts";
import { compareGolden, type Computed, computedOf, type SelfcheckGroup } from "./compare_golden.ts";
import { type Golden, goldenTensor } from "./golden.ts";
import { goldenPatches, goldenSource } from "./golden_images.ts";
import { selfcheckCompared } from "./selfcheck_compared.ts";
import { selfcheckMemory } from "./selfcheck_memory.ts";
import { selfcheckMethods } from "./selfcheck_methods.ts";

/** A tensor passes within this share of its own largest expected magnitude. */
const TOLERANCE = 1e-4;

/**
 * The same under half precision. A half has 11 significant bits, so that each operand of a product is
 * off by at most u = 2^-11 of itself and the product by 2 u. From the image to the logits lie P products
 * one after another (six per block: qkv, scores, weighed values, projection and the MLP's two; the
 * patch embedding and the head), and as many on the way back to a gradient. Roundings to nearest are
 * independent of each other and add like a random walk: 2 u sqrt(passes P).
 *
 * @param passes through the model, one after another: 1 to the logits, 2 to a gradient, 4 to a
 *   meta-gradient (to v and back, along v and back to phi)
 */
function halfTolerance(depth: number, passes: number): number {
  return 2 * 2 ** -11 * Math.sqrt(passes * (6 * depth + 2));
}

/**
 * Recomputes golden numbers on the active device and tells the largest relative error per group:
 * forward, task gradient, unlearned weights, auxiliary values, every meta-gradient variant, and the
 * methods that MetaUnlearn is compared with. Under half precision these methods are left out: they
 * run in float32 always.
 *
 * It is how a GPU owner learns whether their driver computes right. All tensors it makes are freed.
 */
export async function selfcheck(golden: Golden): Promise<SelfcheckGroup[]> {
  const engine = tf.engine();
  engine.startScope();
  try {
    const half = precision() === "half";
    if (half) return await recompute(golden);
    return [
      ...await recompute(golden),
      ...await selfcheckMethods(golden),
      ...golden.compared ? await selfcheckCompared(golden, golden.compared) : [],
      ...golden.memory ? [await selfcheckMemory(golden, golden.memory)] : [],
    ];
  } finally {
    engine.endScope();
  }
}

/** {@link compareGolden} with MetaUnlearn's numbers, which lie so many passes behind the image. */
function compare(
  name: string,
  computed: Computed,
  { expected, shape }: Golden,
  passes: 1 | 2 | 4,
): SelfcheckGroup {
  const tolerance = precision() === "half" ? halfTolerance(shape.depth, passes) : TOLERANCE;
  return compareGolden(name, computed, expected, tolerance);
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
    variants.push(compare(`meta-gradient, ${name}`, computed, golden, 4));
    disposeWeights(gradient.phi);
  }

  const groups = [
    compare(
      "forward",
      {
        "support.logits": await step.output.logits.data(),
        "support.features": await step.output.features.data(),
        "task.loss.forget": await task.value.data(),
        "meta.value": [step.value],
      },
      golden,
      1,
    ),
    compare("task gradient", await computedOf(task.gradients, "task.grad."), golden, 2),
    compare("unlearned weights", await computedOf(step.theta, "unlearned."), golden, 2),
    compare("auxiliary values", values, golden, 2),
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
