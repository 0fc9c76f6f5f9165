import * as tf from "@tensorflow/tfjs";
import type { Weights } from "../../tensor/weights.ts";
import type { Support } from "./algorithm1_unlearning_step.ts";

/**
 * The support set with a selection of embedding rows in place of their numbers, which a recorded step
 * would not see change; the caller's addition.
 */
export function selected(support: Support, phi: Weights): Support {
  const table = phi["embed.weight"];
  if (!table) return support;
  const rows = new Float32Array(support.rows.length * table.shape[0]);
  support.rows.forEach((row, i) => rows[i * table.shape[0] + row] = 1);
  return { ...support, selection: tf.tensor2d(rows, [support.rows.length, table.shape[0]]) };
}
