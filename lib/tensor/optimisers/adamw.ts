import * as tf from "@tensorflow/tfjs";
import { hasKernel, runKernel } from "../kernel.ts";
import { disposeWeights, type Weights } from "../weights.ts";
import type { Optimiser } from "./optimiser.ts";

/** PyTorch's defaults except for the weight decay, which each recipe states. */
export interface AdamWSettings {
  readonly beta1: number;
  readonly beta2: number;
  readonly epsilon: number;
  /** Decoupled (Loshchilov & Hutter 2019); not applied where {@link decays} says no. */
  readonly weightDecay: number;
  /** Reddi et al. 2018: the second moment never shrinks. The meta-loss is trained so (Table 8a). */
  readonly amsgrad: boolean;
  /** Which weights decay; all of them by default, as in PyTorch. */
  readonly decays?: (name: string) => boolean;
}

/** AdamW's usual constants, without decay. */
export const ADAMW_DEFAULTS: AdamWSettings = {
  beta1: 0.9,
  beta2: 0.999,
  epsilon: 1e-8,
  weightDecay: 0,
  amsgrad: false,
};

/**
 * AdamW, with or without AMSGrad, as `torch.optim.AdamW`:
 * theta <- (1 - lr wd) theta - lr m^ / (sqrt(v^) + eps), m^ = m / (1 - b1^t), v^ = v / (1 - b2^t),
 * v the running maximum under AMSGrad.
 */
export function adamW(settings: AdamWSettings): Optimiser {
  let moments: Record<string, tf.Tensor> = {};
  let steps = 0;
  const take = (name: string, like: tf.Tensor) => moments[name] ?? tf.zerosLike(like);

  function update(weight: tf.Tensor, gradient: tf.Tensor, name: string, learningRate: number) {
    const { beta1, beta2, epsilon, amsgrad } = settings;
    const weightDecay = settings.decays?.(name) === false ? 0 : settings.weightDecay;
    const [m, v] = [take(`m.${name}`, weight), take(`v.${name}`, weight)];
    if (!amsgrad && hasKernel("LetheAdamW")) {
      const [next, nextM, nextV] = runKernel("LetheAdamW", { theta: weight, gradient, m, v }, {
        learningRate,
        beta1,
        beta2,
        epsilon,
        weightDecay,
        step: steps,
      });
      return { next, [`m.${name}`]: nextM, [`v.${name}`]: nextV };
    }
    const nextM = tf.add(tf.mul(m, beta1), tf.mul(gradient, 1 - beta1));
    const nextV = tf.add(tf.mul(v, beta2), tf.mul(tf.square(gradient), 1 - beta2));
    const largest = amsgrad ? tf.maximum(take(`vmax.${name}`, weight), nextV) : nextV;
    const denominator = tf.add(
      tf.div(tf.sqrt(largest), Math.sqrt(1 - beta2 ** steps)),
      epsilon,
    );
    const move = tf.div(tf.mul(nextM, learningRate / (1 - beta1 ** steps)), denominator);
    const next = tf.sub(tf.mul(weight, 1 - learningRate * weightDecay), move);
    const state = { next, [`m.${name}`]: nextM, [`v.${name}`]: nextV };
    return amsgrad ? { ...state, [`vmax.${name}`]: largest } : state;
  }

  return {
    step(weights, gradients, learningRate) {
      steps++;
      const updated: Record<string, tf.Tensor> = {};
      const next: Record<string, tf.Tensor> = {};
      for (const [name, weight] of Object.entries(weights)) {
        const result = tf.tidy(() => update(weight, gradients[name], name, learningRate));
        updated[name] = result.next;
        for (const [key, tensor] of Object.entries(result)) if (key !== "next") next[key] = tensor;
      }
      disposeWeights(weights);
      disposeWeights(moments);
      moments = next;
      return updated;
    },
    state: (): Weights => moments,
    restore(state, done) {
      disposeWeights(moments);
      moments = { ...state };
      steps = done;
    },
    get steps() {
      return steps;
    },
    dispose() {
      disposeWeights(moments);
      moments = {};
    },
  };
}
