import * as tf from "@tensorflow/tfjs";
import type { Algebra } from "../../tensor/algebra.ts";
import { mask, mean, sigmoid, softplus } from "../../tensor/ops/elementwise.ts";
import { gelu } from "../../tensor/ops/gelu.ts";
import { layerNorm } from "../../tensor/ops/layer_norm.ts";
import { linear } from "../../tensor/ops/linear.ts";
import { concatColumns, embeddingRows, selectedRows } from "../../tensor/ops/rows.ts";
import type { Random } from "../../random.ts";
import type { Weights } from "../../tensor/weights.ts";
import { META_LOSS_INPUTS, type MetaLossInput } from "./meta_loss_inputs.ts";
import { metaLossInputSize, type MetaLossShape, metaLossShapes } from "./meta_loss_shapes.ts";
import type { VitOutput } from "../vit.ts";

/** LayerNorm's epsilon inside the meta-loss: PyTorch's default, unlike the ViT's. */
const EPSILON = 1e-5;

/** What does not move when the meta-loss is differentiated. */
export interface MetaLossConstants {
  /** [s, labels]: 0 or 1 per label, or one-hot classes. */
  readonly targets: tf.Tensor;
  /** Row of each support image's identity in the embedding table, s of them. */
  readonly rows: readonly number[];
  /** [s, identities] with a one where {@link rows} says, in its place where a step is recorded. */
  readonly selection?: tf.Tensor;
  /** [s, 1], of mean 1: what each support image counts; absent: all the same. */
  readonly weights?: tf.Tensor;
  /** [s, hidden] dropout mask, already scaled by 1 / (1 - p); absent outside meta-training. */
  readonly dropout?: tf.Tensor;
}

/**
 * h_phi(f_theta(S)), Table 8b: rows [sigmoid(logits) | features | targets | identity embedding] ->
 * Linear -> LayerNorm -> Linear -> GELU -> Dropout -> LayerNorm -> Linear(1) -> softplus -> mean.
 * (The paper lists identity before targets; this is the released code's order.)
 *
 * @param output f_theta(S): logits [s, labels] and features [s, dim]
 * @returns a scalar
 */
export function metaLoss<T>(
  algebra: Algebra<T>,
  phi: Readonly<Record<string, T>>,
  output: VitOutput<T>,
  constants: MetaLossConstants,
  inputs: readonly MetaLossInput[],
): T {
  const rows = metaLossRows(algebra, phi, output, constants, inputs);
  const { weights } = constants;
  const counted = weights === undefined
    ? rows
    : algebra.apply(mask, [rows, algebra.constant(weights)]);
  return algebra.apply(mean, [counted]);
}

/** {@link metaLoss} before the mean: one value per support image, [s, 1]. */
export function metaLossRows<T>(
  { constant, apply }: Algebra<T>,
  phi: Readonly<Record<string, T>>,
  { logits, features }: VitOutput<T>,
  { targets, rows, selection, dropout }: MetaLossConstants,
  inputs: readonly MetaLossInput[],
): T {
  const column: Record<MetaLossInput, () => T> = {
    logits: () => apply(sigmoid, [logits]),
    features: () => features,
    targets: () => constant(targets),
    identities: () =>
      selection
        ? apply(selectedRows, [constant(selection), phi["embed.weight"]])
        : apply(embeddingRows, [phi["embed.weight"]], { indices: rows }),
  };
  const affine = (x: T, layer: string) =>
    apply(linear, [x, phi[`${layer}.weight`], phi[`${layer}.bias`]]);
  const norm = (x: T, layer: string) =>
    apply(layerNorm, [x, phi[`${layer}.weight`], phi[`${layer}.bias`]], { epsilon: EPSILON });

  const present = META_LOSS_INPUTS.filter((input) => inputs.includes(input));
  const row = apply(concatColumns, present.map((input) => column[input]()));
  const mixed = norm(affine(row, "input_block.0"), "input_block.1");
  let hidden = apply(gelu, [affine(mixed, "input_block.2")]);
  if (dropout !== undefined) hidden = apply(mask, [hidden, constant(dropout)]);
  const score = affine(norm(hidden, "output_block.0"), "output_block.1");
  return apply(softplus, [score]);
}

/**
 * Fresh phi, as PyTorch initialises these layers: Linear uniform in +-1/sqrt(in), LayerNorm one and
 * zero, the embedding standard normal.
 *
 * @returns tensors under the released code's names, owned by the caller
 */
export function initialMetaLoss(shape: MetaLossShape, random: Random): Weights {
  const fanIn: Record<string, number> = {
    "input_block.0": metaLossInputSize(shape),
    "input_block.2": shape.hidden,
    "output_block.1": shape.hidden,
  };
  const phi: Record<string, tf.Tensor> = {};
  for (const [name, size] of metaLossShapes(shape)) {
    const [layer, part] = [
      name.slice(0, name.lastIndexOf(".")),
      name.slice(name.lastIndexOf(".") + 1),
    ];
    const bound = 1 / Math.sqrt(fanIn[layer]);
    const draw = layer === "embed"
      ? () => random.normal()
      : layer in fanIn
      ? () => (2 * random.uniform() - 1) * bound
      : () => part === "weight" ? 1 : 0;
    const count = size.reduce((a, b) => a * b, 1);
    phi[name] = tf.tensor(Float32Array.from({ length: count }, draw), size);
  }
  return phi;
}
