import * as tf from "@tensorflow/tfjs";
import { disposeWeights, type Weights } from "../weights.ts";
import type { Optimiser } from "./optimiser.ts";

/** One tensor's update: what is known of it and the step's number, from 1. */
export interface TensorUpdate {
  readonly name: string;
  readonly weight: tf.Tensor;
  readonly gradient: tf.Tensor;
  readonly learningRate: number;
  readonly step: number;
  /** The running moment of that name, zero at first; the optimiser's. */
  moment(kind: string): tf.Tensor;
}

/**
 * An optimiser that updates each tensor by itself.
 *
 * @param update gives the new weight and the new moments by kind; runs in a `tf.tidy`. The state names
 *   a moment `<kind>.<weight>`
 */
export function perTensor(
  update: (of: TensorUpdate) => { next: tf.Tensor; moments: Readonly<Record<string, tf.Tensor>> },
): Optimiser {
  let state: Record<string, tf.Tensor> = {};
  let steps = 0;
  return {
    step(weights, gradients, learningRate) {
      const step = ++steps;
      const updated: Record<string, tf.Tensor> = {};
      const nextState: Record<string, tf.Tensor> = {};
      for (const [name, weight] of Object.entries(weights)) {
        const moment = (kind: string) => state[`${kind}.${name}`] ?? tf.zerosLike(weight);
        tf.tidy(() => {
          const { next, moments } = update({
            name,
            weight,
            gradient: gradients[name],
            learningRate,
            step,
            moment,
          });
          updated[name] = tf.keep(next);
          for (const [kind, tensor] of Object.entries(moments)) {
            nextState[`${kind}.${name}`] = tf.keep(tensor);
            state[`${kind}.${name}`]?.dispose();
          }
        });
        // Tensor by tensor: all new ones beside all old ones would take twice the room.
        weight.dispose();
      }
      state = nextState;
      return updated;
    },
    state: (): Weights => state,
    restore(moments, done) {
      disposeWeights(state);
      state = { ...moments };
      steps = done;
    },
    get steps() {
      return steps;
    },
    dispose() {
      disposeWeights(state);
      state = {};
    },
  };
}
