import * as tf from "@tensorflow/tfjs";
import { activeWebgpu } from "../../tensor/recording/owned_tensor.ts";
import { Recorded } from "../../tensor/recording/recorded.ts";
import type { Tensors } from "../../tensor/recording/recording.ts";
import { disposeWeights, mapWeights, type Weights } from "../../tensor/weights.ts";
import {
  disposeStep,
  queueUnlearningStep,
  type Support,
  type UnlearningSettings,
} from "./algorithm1_unlearning_step.ts";
import { selected } from "./selected_rows.ts";

/** Algorithm 1's step for one request after the other: recorded once for a size and replayed (WebGPU). */
export class UnlearningSteps {
  readonly #phi: Weights;
  readonly #step: Recorded<Tensors, Tensors>;
  #rows: readonly number[] = [];

  /**
   * @param phi stays the caller's, as do the step sizes; their numbers may change between steps
   * @param logStepSizes as in `unlearningStep`
   */
  constructor(phi: Weights, settings: UnlearningSettings, logStepSizes?: Weights) {
    this.#phi = phi;
    this.#step = new Recorded(({ patches, targets, selection, dropout, weights, ...theta }) => {
      const support: Support = {
        ...{ patches, targets, rows: this.#rows },
        ...selection ? { selection } : {},
        ...dropout ? { dropout } : {},
        ...weights ? { weights } : {},
      };
      const step = queueUnlearningStep(theta, phi, support, settings, logStepSizes);
      disposeStep({ ...step, theta: {} });
      return { ...step.theta, [VALUE]: step.value };
    });
  }

  /**
   * One step.
   *
   * @param theta stays the caller's, as the support set does; the same set has the same numbers
   * @returns theta_u, the caller's, and h_phi(f_theta(S)) before the step
   */
  async take(theta: Weights, support: Support): Promise<{ theta: Weights; value: number }> {
    // Where nothing is recorded, rows go by their numbers.
    const own = activeWebgpu() ? selected(support, this.#phi) : support;
    this.#rows = support.rows;
    const { patches, targets, selection, dropout, weights } = own;
    const inputs: Record<string, tf.Tensor> = {
      ...{ ...theta, patches, targets },
      ...selection ? { selection } : {},
      ...dropout ? { dropout } : {},
      ...weights ? { weights } : {},
    };
    const { [VALUE]: value, ...moved } = this.#step.run(
      inputs,
      new Set(Object.keys(theta)),
      theta,
    );
    const copies = mapWeights(moved, tf.clone);
    if (selection !== support.selection) selection?.dispose();
    try {
      return { theta: copies, value: (await value.data())[0] };
    } catch (error) {
      disposeWeights(copies);
      throw error;
    }
  }

  dispose(): void {
    this.#step.dispose();
  }
}

/** The output that is no weight. */
const VALUE = "h_phi";
