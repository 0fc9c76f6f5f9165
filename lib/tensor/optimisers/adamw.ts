import * as tf from "@tensorflow/tfjs";
import { hasKernel, runKernel } from "../kernel.ts";
import type { Optimiser } from "./optimiser.ts";
import { perTensor } from "./per_tensor.ts";

/** PyTorch's defaults except for the weight decay, which each recipe states. */
export interface AdamWSettings {
  /** Decay of the first moment. */
  readonly beta1: number;
  /** Decay of the second moment. */
  readonly beta2: number;
  /** Added to the root of the second moment. */
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
  const { beta1, beta2, epsilon, amsgrad } = settings;
  return perTensor(({ name, weight, gradient, learningRate, step, moment }) => {
    const weightDecay = settings.decays?.(name) === false ? 0 : settings.weightDecay;
    const [m, v] = [moment("m"), moment("v")];
    if (!amsgrad && hasKernel("LetheAdamW")) {
      const [next, nextM, nextV] = runKernel("LetheAdamW", { theta: weight, gradient, m, v }, {
        learningRate,
        beta1,
        beta2,
        epsilon,
        weightDecay,
        step,
      });
      return { next, moments: { m: nextM, v: nextV } };
    }
    // Each in its own tidy: of a large tensor, a dozen intermediate ones would wait for the last.
    const nextM = tf.tidy(() => tf.add(tf.mul(m, beta1), tf.mul(gradient, 1 - beta1)));
    const nextV = tf.tidy(() => {
      const square = tf.tidy(() => tf.mul(tf.square(gradient), 1 - beta2));
      return tf.add(tf.mul(v, beta2), square);
    });
    const moments: Record<string, tf.Tensor> = { m: nextM, v: nextV };
    if (amsgrad) moments.vmax = tf.maximum(moment("vmax"), nextV);
    const next = tf.tidy(() => {
      const move = tf.tidy(() => {
        const denominator = tf.tidy(() => {
          const root = tf.tidy(() =>
            tf.div(tf.sqrt(moments.vmax ?? nextV), Math.sqrt(1 - beta2 ** step))
          );
          return tf.add(root, epsilon);
        });
        return tf.div(tf.mul(nextM, learningRate / (1 - beta1 ** step)), denominator);
      });
      return tf.sub(tf.mul(weight, 1 - learningRate * weightDecay), move);
    });
    return { next, moments };
  });
}
