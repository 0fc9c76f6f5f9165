import type * as tf from "@tensorflow/tfjs";
import type { Weights } from "../tensor/weights.ts";

/** The steps that are measured, each on the workload's images. */
export interface Steps {
  /** Mean task loss of `images` and its gradient; the caller disposes both. */
  trainingStep(images: readonly number[]): { value: tf.Scalar; gradients: Weights };
  /** Logits of `images` on the host. */
  evaluation(images: readonly number[]): Promise<Float32Array>;
  /** theta - eta grad h_phi(f_theta(S)), owned by the caller. */
  unlearningStep(): Promise<Weights>;
  /** dA/dphi of one request with one forget and one validation batch, owned by the caller. */
  metaStep(): Promise<Weights>;
  dispose(): void;
}
