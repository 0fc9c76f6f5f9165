import * as tf from "@tensorflow/tfjs";
import { hasKernel, runKernel } from "../kernel.ts";
import type { Optimiser } from "./optimiser.ts";
import { perTensor } from "./per_tensor.ts";

/** SGD's constants besides the learning rate. */
export interface SgdSettings {
  /** Of the running sum of gradients. */
  readonly momentum: number;
  /** L2 penalty added to the gradient, as PyTorch's SGD does. */
  readonly weightDecay: number;
}

/**
 * SGD with momentum, as `torch.optim.SGD`:
 * u <- momentum u + (g + wd theta) (u = g + wd theta at the first step), theta <- theta - lr u.
 */
export function sgd({ momentum, weightDecay }: SgdSettings): Optimiser {
  return perTensor(({ weight, gradient, learningRate, moment }) => {
    // A velocity of zero makes the first step PyTorch's: momentum 0 + g.
    const velocity = moment("velocity");
    if (hasKernel("LetheSgd")) {
      const [next, moved] = runKernel("LetheSgd", { theta: weight, gradient, velocity }, {
        learningRate,
        momentum,
        weightDecay,
      });
      return { next, moments: { velocity: moved } };
    }
    const moved = tf.add(
      tf.mul(velocity, momentum),
      tf.add(gradient, tf.mul(weight, weightDecay)),
    );
    return { next: tf.sub(weight, tf.mul(moved, learningRate)), moments: { velocity: moved } };
  });
}
