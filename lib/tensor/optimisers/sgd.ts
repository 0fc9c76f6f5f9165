import * as tf from "@tensorflow/tfjs";
import { hasKernel, runKernel } from "../kernel.ts";
import { disposeWeights, type Weights } from "../weights.ts";
import type { Optimiser } from "./optimiser.ts";

/** SGD's constants besides the learning rate. */
export interface SgdSettings {
  readonly momentum: number;
  /** L2 penalty added to the gradient, as PyTorch's SGD does. */
  readonly weightDecay: number;
}

/**
 * SGD with momentum, as `torch.optim.SGD`:
 * u <- momentum u + (g + wd theta) (u = g + wd theta at the first step), theta <- theta - lr u.
 */
export function sgd({ momentum, weightDecay }: SgdSettings): Optimiser {
  let velocities: Record<string, tf.Tensor> = {};
  let steps = 0;

  function update(weight: tf.Tensor, gradient: tf.Tensor, name: string, learningRate: number) {
    // A velocity of zero makes the first step PyTorch's: momentum 0 + g.
    const velocity = velocities[`velocity.${name}`] ?? tf.zerosLike(weight);
    if (hasKernel("LetheSgd")) {
      const [next, moved] = runKernel("LetheSgd", { theta: weight, gradient, velocity }, {
        learningRate,
        momentum,
        weightDecay,
      });
      return { next, velocity: moved };
    }
    const moved = tf.add(
      tf.mul(velocity, momentum),
      tf.add(gradient, tf.mul(weight, weightDecay)),
    );
    return { next: tf.sub(weight, tf.mul(moved, learningRate)), velocity: moved };
  }

  return {
    step(weights, gradients, learningRate) {
      steps++;
      const updated: Record<string, tf.Tensor> = {};
      const next: Record<string, tf.Tensor> = {};
      for (const [name, weight] of Object.entries(weights)) {
        const result = tf.tidy(() => update(weight, gradients[name], name, learningRate));
        updated[name] = result.next;
        next[`velocity.${name}`] = result.velocity;
      }
      disposeWeights(weights);
      disposeWeights(velocities);
      velocities = next;
      return updated;
    },
    state: (): Weights => velocities,
    restore(state, done) {
      disposeWeights(velocities);
      velocities = { ...state };
      steps = done;
    },
    get steps() {
      return steps;
    },
    dispose() {
      disposeWeights(velocities);
      velocities = {};
    },
  };
}
