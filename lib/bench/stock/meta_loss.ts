import * as tf from "@tensorflow/tfjs";
import type { VitOutput } from "../../model/vit.ts";
import type { Weights } from "../../tensor/weights.ts";
import { stockGelu, stockLayerNorm, stockLinear } from "./layers.ts";

/** As in lib/model/meta_loss.ts. */
const EPSILON = 1e-5;

/**
 * h_phi (Table 8b, all four inputs, no dropout) with stock tfjs ops.
 *
 * @param phi from `stockLayout`
 * @param output logits [s, labels] and features [s, dim]
 * @param targets [s, labels]
 * @param people [s, identities], one-hot: a stock gather has no gradient on WASM
 * @returns a scalar
 */
export function stockMetaLoss(
  phi: Weights,
  { logits, features }: VitOutput<tf.Tensor>,
  targets: tf.Tensor,
  people: tf.Tensor,
): tf.Scalar {
  const affine = (x: tf.Tensor, layer: string) =>
    stockLinear(x, phi[`${layer}.weight`], phi[`${layer}.bias`]);
  const norm = (x: tf.Tensor, layer: string) =>
    stockLayerNorm(x, phi[`${layer}.weight`], phi[`${layer}.bias`], EPSILON);
  const identities = tf.matMul(people, phi["embed.weight"]);
  const row = tf.concat([tf.sigmoid(logits), features, targets, identities], 1);
  const mixed = norm(affine(row, "input_block.0"), "input_block.1");
  const hidden = norm(stockGelu(affine(mixed, "input_block.2")), "output_block.0");
  return tf.mean(tf.softplus(affine(hidden, "output_block.1")));
}
