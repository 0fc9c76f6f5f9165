import type { Weights } from "../../tensor/weights.ts";
import type { Support } from "./algorithm1_unlearning_step.ts";
import type { AuxiliaryBatch } from "./meta_objective.ts";
import type { MetaParameters } from "./meta_parameters.ts";

/** A and the forget images' metric of one request. */
export type OnResult = (value: number, metric: number) => void;

/** Learning rates of a step. */
export interface MetaRates {
  readonly phi: number;
  readonly stepSizes: number;
}

/** phi and step sizes, and the optimisers that train them request after request. */
export interface MetaStep {
  /** After the steps taken so far. They stay the step's and may change with the next one. */
  readonly parameters: MetaParameters;
  readonly steps: number;
  /**
   * One step of AdamW with AMSGrad down the meta-gradient of a simulated request.
   *
   * @param onResult called in the order of the requests, perhaps some steps later
   */
  take(
    support: Support,
    batches: readonly AuxiliaryBatch[],
    rates: MetaRates,
    onResult: OnResult,
  ): Promise<void>;
  /** Waits for all results. */
  finish(): Promise<void>;
  /** The optimisers' moments, which stay the step's. */
  moments(): { readonly moments: Weights; readonly stepSizeMoments: Weights };
  /** Takes over moments and the number of steps done. */
  restore(moments: Weights, stepSizeMoments: Weights, steps: number): void;
  /** Frees all, the parameters too. */
  dispose(): void;
}
