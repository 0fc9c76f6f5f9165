import * as tf from "@tensorflow/tfjs";
import { disposeWeights, mapWeights, type Weights } from "../../tensor/weights.ts";

/** phi and, where they are learned, the log step sizes: what meta-learning changes. */
export interface MetaParameters {
  readonly phi: Weights;
  readonly logStepSizes?: Weights | undefined;
}

/** The same numbers, whatever becomes of these; the caller's. */
export function copyParameters({ phi, logStepSizes }: MetaParameters): MetaParameters {
  return {
    phi: mapWeights(phi, tf.clone),
    ...(logStepSizes ? { logStepSizes: mapWeights(logStepSizes, tf.clone) } : {}),
  };
}

/** Frees phi and the step sizes. */
export function disposeParameters({ phi, logStepSizes }: MetaParameters): void {
  disposeWeights(phi);
  disposeWeights(logStepSizes);
}
