import * as tf from "@tensorflow/tfjs";
import type { Random } from "../../random.ts";
import type { Support } from "./algorithm1_unlearning_step.ts";
import type { MetaObjective } from "./meta_objective.ts";
import type { SimulatedRequest } from "./simulate_requests.ts";

/** The share of hidden units to drop, and what to draw them from. */
interface SupportDropout {
  readonly share: number;
  readonly hidden: number;
  readonly random: Random;
}

/**
 * S on the device. The caller disposes `patches`, `targets` and, where there is one, `dropout`.
 *
 * @param dropout share of hidden units to drop, and what to draw them from
 */
export async function supportOf(
  objective: Pick<MetaObjective, "source">,
  request: Pick<SimulatedRequest, "support" | "rows">,
  dropout?: SupportDropout,
): Promise<Support> {
  const { patches, targets } = await objective.source.batch(request.support);
  const support = { patches, targets, rows: request.rows };
  if (!dropout || dropout.share === 0) return support;
  const { share, hidden, random } = dropout;
  const mask = Float32Array.from(
    { length: request.rows.length * hidden },
    () => random.uniform() < share ? 0 : 1 / (1 - share),
  );
  return { ...support, dropout: tf.tensor2d(mask, [request.rows.length, hidden]) };
}

/** Frees a support set. */
export function disposeSupport(support: Support): void {
  tf.dispose([support.patches, support.targets]);
  tf.dispose([support.dropout, support.weights].filter((tensor) => tensor !== undefined));
}
