import * as tf from "@tensorflow/tfjs";
import type { ImageSource } from "../../lib/data/loader/image_source.ts";
import { initialVit } from "../../lib/model/initial_vit.ts";
import { initialMetaLoss } from "../../lib/model/meta_loss/meta_loss.ts";
import { META_LOSS_INPUTS } from "../../lib/model/meta_loss/meta_loss_inputs.ts";
import { labelLosses } from "../../lib/measure/loss.ts";
import { predict } from "../../lib/model/predict.ts";
import { Random } from "../../lib/random.ts";
import { disposeWeights, mapWeights, type Weights } from "../../lib/tensor/weights.ts";
import type { Measured } from "../../lib/unlearn/meta_unlearn/eq5_eq6_auxiliary_objective.ts";
import type { MetaObjective } from "../../lib/unlearn/meta_unlearn/meta_objective.ts";

/** A ViT of one block over 8 px images, enough for every path of the mathematics. */
export const TOY_SHAPE = {
  imageSize: 8,
  patchSize: 4,
  dim: 8,
  depth: 1,
  heads: 2,
  layerNormEps: 1e-6,
};
export const TOY_LABELS = 3;
export const TOY_HIDDEN = 16;

/** Random images and labels, a fresh ViT with large weights, a fresh meta-loss: all from one seed. */
export async function toyObjective(images: number, seed = 0) {
  const random = new Random(seed, "toy");
  const n = (TOY_SHAPE.imageSize / TOY_SHAPE.patchSize) ** 2;
  const width = 3 * TOY_SHAPE.patchSize ** 2;
  const pixels = Float32Array.from({ length: images * n * width }, () => random.normal());
  const labels = Float32Array.from({ length: images * TOY_LABELS }, () => random.integer(2));
  const targets = (indices: readonly number[]) =>
    Float32Array.from(
      indices.flatMap((i) => [...labels.subarray(i * TOY_LABELS, (i + 1) * TOY_LABELS)]),
    );
  const source: ImageSource = {
    targets,
    batch: (indices) => ({
      patches: tf.tensor2d(
        Float32Array.from(
          indices.flatMap((i) => [...pixels.subarray(i * n * width, (i + 1) * n * width)]),
        ),
        [indices.length * n, width],
      ),
      targets: tf.tensor2d(targets(indices), [indices.length, TOY_LABELS]),
    }),
  };
  // timm's small start leaves outputs flat and the CLS token's LayerNorm ill-conditioned: redraw what
  // matters at a size where derivatives are worth testing.
  const fresh = initialVit(TOY_SHAPE, TOY_LABELS, random.fork("theta"));
  const theta: Weights = mapWeights(
    fresh,
    (w, name) => {
      if (/norm|bias/.test(name)) return tf.clone(w);
      const values = Float32Array.from({ length: w.size }, () => 0.4 * random.normal());
      return tf.tensor(values, w.shape);
    },
  );
  disposeWeights(fresh);
  const phi = initialMetaLoss({
    inputs: META_LOSS_INPUTS,
    labels: TOY_LABELS,
    dim: TOY_SHAPE.dim,
    identities: 6,
    embeddingSize: 4,
    hidden: TOY_HIDDEN,
  }, random.fork("phi"));
  /** Binary cross entropy in float64; the metric is not used by the unscaled objective. */
  const measure = (logits: Float32Array, indices: readonly number[]): Measured => {
    const y = targets(indices);
    const loss = logits.reduce(
      (sum, x, i) => sum + Math.max(x, 0) - x * y[i] + Math.log1p(Math.exp(-Math.abs(x))),
      0,
    );
    const perLabel = labelLosses(logits, y, TOY_LABELS);
    return { loss: loss / logits.length, metric: 0, labelLosses: perLabel };
  };
  const everything = Array.from({ length: images }, (_, i) => i);
  const { logits } = await predict(theta, TOY_SHAPE, source, everything, images);
  const objective: MetaObjective<ImageSource> = {
    metaLearningRate: 0.1,
    inputs: META_LOSS_INPUTS,
    shape: TOY_SHAPE,
    microBatch: 4,
    form: { distance: "smooth_l1", terms: "second", scaled: false, align: "mean" },
    keepWeight: 2,
    task: "multi-label",
    source,
    measure,
    original: (indices) =>
      measure(
        Float32Array.from(
          indices.flatMap((i) => [...logits.subarray(i * TOY_LABELS, (i + 1) * TOY_LABELS)]),
        ),
        indices,
      ),
  };
  return { theta, phi, objective };
}
