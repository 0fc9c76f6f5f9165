import * as tf from "@tensorflow/tfjs";
import type { ImageSource } from "../data/image_source.ts";
import { patchRows } from "../data/patches.ts";
import { meanAveragePrecision } from "../measure/average_precision.ts";
import { meanLoss } from "../measure/loss.ts";
import { META_LOSS_INPUTS } from "../model/meta_loss_inputs.ts";
import { predict } from "../model/predict.ts";
import type { Weight } from "../model/safetensors.ts";
import { taskLoss } from "../model/task_loss.ts";
import { vit } from "../model/vit.ts";
import { plain } from "../tensor/algebra.ts";
import { disposeWeights, valueAndGradients, type Weights } from "../tensor/weights.ts";
import type { AuxiliaryForm, Measured } from "../unlearn/auxiliary_objective.ts";
import { metaGradient, type MetaObjective } from "../unlearn/meta_gradient.ts";
import { disposeStep, type Support, unlearningStep } from "../unlearn/unlearning_step.ts";
import { type Golden, goldenTensor } from "./golden.ts";

/** How one group of tensors came out. */
export interface SelfcheckGroup {
  readonly name: string;
  readonly tensors: number;
  /** Largest error, relative to the largest expected magnitude of its own tensor. */
  readonly relativeError: number;
  /** The tensor it was found in. */
  readonly worst: string;
  /** Tensors past their tolerance. */
  readonly failed: readonly string[];
}

/** A tensor passes within this share of its own largest expected magnitude .. */
export const RELATIVE_TOLERANCE = 1e-4;
/** .. or within this, whichever is larger. */
export const ABSOLUTE_TOLERANCE = 1e-6;

/** Computed values by name, to be held against the golden ones. */
type Computed = Record<string, ArrayLike<number>>;

function compare(name: string, computed: Computed, golden: Golden): SelfcheckGroup {
  let [relativeError, worst] = [0, ""];
  const failed: string[] = [];
  for (const [tensor, values] of Object.entries(computed)) {
    const expected = goldenTensor(golden.expected, tensor).values;
    let [error, magnitude] = [values.length === expected.length ? 0 : Infinity, 0];
    for (let i = 0; i < expected.length; i++) {
      const gap = Math.abs(values[i] - expected[i]);
      // A NaN is an infinite error: no comparison with it would ever fail.
      error = Math.max(error, Number.isNaN(gap) ? Infinity : gap);
      magnitude = Math.max(magnitude, Math.abs(expected[i]));
    }
    if (!(error <= Math.max(RELATIVE_TOLERANCE * magnitude, ABSOLUTE_TOLERANCE))) {
      failed.push(tensor);
    }
    const relative = magnitude === 0 ? error : error / magnitude;
    if (worst === "" || relative > relativeError) [relativeError, worst] = [relative, tensor];
  }
  return { name, tensors: Object.keys(computed).length, relativeError, worst, failed };
}

async function download(weights: Weights, prefix: string): Promise<Computed> {
  const out: Computed = {};
  for (const [name, tensor] of Object.entries(weights)) out[prefix + name] = await tensor.data();
  return out;
}

function upload(file: ReadonlyMap<string, Weight>): Weights {
  return Object.fromEntries(
    [...file].map(([name, { values, shape }]) => [name, tf.tensor(values, [...shape])]),
  );
}

/** Patch rows of one golden image tensor, [b, 3, side, side] in [-1, 1]. */
function goldenPatches(golden: Golden, name: string): tf.Tensor {
  const { values, shape } = goldenTensor(golden.batch, name);
  return tf.tidy(() =>
    patchRows(tf.transpose(tf.tensor(values, [...shape]), [0, 2, 3, 1]), golden.shape.patchSize)
  );
}

/** Forget images first, then validation images, as one source of batches. */
function goldenSource(golden: Golden): { source: ImageSource; forget: number[]; val: number[] } {
  const rows = tf.tidy(() =>
    tf.concat([goldenPatches(golden, "forget.images"), goldenPatches(golden, "val.images")])
  );
  const [f, v] = ["forget.targets", "val.targets"].map((name) => goldenTensor(golden.batch, name));
  const all = Float32Array.from([...f.values, ...v.values]);
  const { labels, shape } = golden;
  const n = (shape.imageSize / shape.patchSize) ** 2;
  const targets = (indices: readonly number[]) =>
    Float32Array.from(indices.flatMap((i) => [...all.subarray(i * labels, (i + 1) * labels)]));
  const batch = (indices: readonly number[]) => ({
    patches: tf.tidy(() => tf.concat(indices.map((i) => tf.slice(rows, [i * n, 0], [n, -1])))),
    targets: tf.tensor2d(targets(indices), [indices.length, labels]),
  });
  const range = (from: number, count: number) => Array.from({ length: count }, (_, i) => from + i);
  return {
    source: { targets, batch },
    forget: range(0, f.shape[0]),
    val: range(f.shape[0], v.shape[0]),
  };
}

/**
 * Recomputes golden numbers on the active device and tells the largest relative error per group:
 * forward, task gradient, unlearned weights, auxiliary values, every meta-gradient variant.
 *
 * It is how a GPU owner learns whether their driver computes right. All tensors it makes are freed.
 */
export async function selfcheck(golden: Golden): Promise<SelfcheckGroup[]> {
  const engine = tf.engine();
  engine.startScope();
  try {
    return await recompute(golden);
  } finally {
    engine.endScope();
  }
}

async function recompute(golden: Golden): Promise<SelfcheckGroup[]> {
  const { shape, labels, metaLearningRate } = golden;
  const [theta, phi] = [upload(golden.model), upload(golden.metaLoss)];
  const { source, forget, val } = goldenSource(golden);
  const supportTargets = goldenTensor(golden.batch, "support.targets");
  const support: Support = {
    patches: goldenPatches(golden, "support.images"),
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
    const computed = await download(gradient.phi, `metagrad.${name}.`);
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
    compare("task gradient", await download(task.gradients, "task.grad."), golden),
    compare("unlearned weights", await download(step.theta, "unlearned."), golden),
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
