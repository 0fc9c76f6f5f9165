import * as tf from "@tensorflow/tfjs";
import type { ImageSource } from "../data/loader/image_source.ts";
import { taskMetric } from "../measure/evaluation.ts";
import { meanLoss } from "../measure/loss.ts";
import { initialVit } from "../model/initial_vit.ts";
import { initialMetaLoss } from "../model/meta_loss/meta_loss.ts";
import { META_LOSS_INPUTS } from "../model/meta_loss/meta_loss_inputs.ts";
import { predict } from "../model/predict.ts";
import type { VitShape } from "../model/vit.ts";
import { Random } from "../random.ts";
import { disposeWeights, type Weights } from "../tensor/weights.ts";
import type { MetaObjective } from "../unlearn/meta_unlearn/meta_objective.ts";
import { tokensOf } from "./operations.ts";

/** What the steps are measured on. */
export interface WorkloadSettings {
  readonly shape: VitShape;
  /** Images of a training batch, of an evaluation batch, of Df and of Dv. */
  readonly batch: number;
  /** N_S: support images of the meta step and of the unlearning step. */
  readonly support: number;
  readonly labels: number;
  /** Hidden width of the meta-loss; 512 in the paper. */
  readonly hidden: number;
}

/** A model, a meta-loss and random images: the same numbers for Lethe's steps and the stock ones. */
export interface Workload extends WorkloadSettings {
  /** Training images, Df and S are the first ones; Dv follows. */
  readonly images: {
    readonly forget: number[];
    readonly val: number[];
    readonly support: number[];
  };
  readonly theta: Weights;
  readonly phi: Weights;
  readonly objective: MetaObjective<ImageSource>;
  dispose(): void;
}

/** Fresh weights and random pixels and labels from one seed. The caller calls `dispose`. */
export async function makeWorkload(settings: WorkloadSettings, seed: number): Promise<Workload> {
  const { shape, batch, support, labels, hidden } = settings;
  const random = new Random(seed, "bench");
  const theta = initialVit(shape, labels, random.fork("theta"));
  const phi = initialMetaLoss({
    inputs: META_LOSS_INPUTS,
    labels,
    dim: shape.dim,
    identities: support,
    embeddingSize: 64,
    hidden,
  }, random.fork("phi"));
  const range = (from: number, count: number) => Array.from({ length: count }, (_, i) => from + i);
  const images = {
    forget: range(0, batch),
    val: range(batch, batch),
    support: range(2 * batch, support),
  };
  const source = randomImages(settings, 2 * batch + support, random.fork("images"));
  const measure = (logits: Float32Array, indices: readonly number[]) => {
    const targets = source.targets(indices);
    return {
      loss: meanLoss("multi-label", logits, targets, labels),
      metric: taskMetric("multi-label", logits, targets, labels),
    };
  };
  const { logits } = await predict(theta, shape, source, images.val, batch);
  const original = measure(logits, images.val);
  const objective: MetaObjective<ImageSource> = {
    metaLearningRate: 0.1,
    inputs: META_LOSS_INPUTS,
    shape,
    microBatch: batch,
    form: { distance: "smooth_l1", terms: "both", scaled: true, align: "mean" },
    keepWeight: 0,
    task: "multi-label",
    source,
    measure,
    original: () => original,
  };
  const dispose = () => {
    disposeWeights(theta);
    disposeWeights(phi);
  };
  return { ...settings, images, theta, phi, objective, dispose };
}

/** Normal pixels and fair coins for labels, on the host. */
function randomImages(
  { shape, labels }: WorkloadSettings,
  count: number,
  random: Random,
): ImageSource {
  const rows = tokensOf(shape) - 1;
  const width = 3 * shape.patchSize ** 2;
  const size = rows * width;
  const pixels = Float32Array.from({ length: count * size }, () => random.normal());
  const coins = Float32Array.from({ length: count * labels }, () => random.integer(2));
  const take = (from: Float32Array, indices: readonly number[], each: number) => {
    const out = new Float32Array(indices.length * each);
    indices.forEach((index, i) =>
      out.set(from.subarray(index * each, (index + 1) * each), i * each)
    );
    return out;
  };
  return {
    targets: (indices) => take(coins, indices, labels),
    batch: (indices) => ({
      patches: tf.tensor2d(take(pixels, indices, size), [indices.length * rows, width]),
      targets: tf.tensor2d(take(coins, indices, labels), [indices.length, labels]),
    }),
  };
}
