import { Recorded } from "../../tensor/recording/recorded.ts";
import type { Tensors } from "../../tensor/recording/recording.ts";
import { addScaled, disposeWeights, type Weights } from "../../tensor/weights.ts";
import { sumOf, unflatten } from "./flat.ts";
import type { GradientMoments } from "./gradient_moments.ts";
import { preconditionAll, type StepSettings } from "./preconditioner.ts";

/**
 * theta - P sum_p Q_p of one request after the other: recorded once and replayed (WebGPU). Moments,
 * settings and theta stay the caller's, and as they are.
 */
export class Forgetting {
  readonly #theta: Weights;
  readonly #step: Recorded<Tensors, Tensors>;

  constructor(theta: Weights, moments: GradientMoments, settings: StepSettings) {
    this.#theta = theta;
    this.#step = new Recorded((sum) => {
      const step = preconditionAll(sum, moments, settings);
      const moved = addScaled(theta, step, -1);
      disposeWeights(step);
      return moved as Tensors;
    });
  }

  /**
   * @param rows sums of gradients, at least one
   * @returns a set of its own of tensors that stay this object's: they hold until the next call
   */
  of(rows: readonly Float32Array[]): Weights {
    const sum = unflatten(sumOf(rows), this.#theta);
    const moved = { ...this.#step.run(sum) };
    disposeWeights(sum);
    return moved;
  }

  dispose(): void {
    this.#step.dispose();
  }
}
