import type { Weights } from "../weights.ts";

/** An optimiser and its running moments. */
export interface Optimiser {
  /**
   * One update.
   *
   * @param weights taken over: freed here
   * @param gradients stay the caller's
   * @param learningRate of this step; schedules live outside
   * @returns the updated weights, owned by the caller
   */
  step(weights: Weights, gradients: Weights, learningRate: number): Weights;
  /** Moments by name (`m.<weight>`, `velocity.<weight>`), for a checkpoint. They stay the optimiser's. */
  state(): Weights;
  /** Takes over moments that {@link state} gave, and the number of steps done. */
  restore(state: Weights, steps: number): void;
  /** Steps done so far. */
  readonly steps: number;
  /** Frees all that it holds. */
  dispose(): void;
}
