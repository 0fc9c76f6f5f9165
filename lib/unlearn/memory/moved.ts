import * as tf from "@tensorflow/tfjs";
import { Recorded } from "../../tensor/recording/recorded.ts";
import type { Tensors } from "../../tensor/recording/recording.ts";
import { disposeWeights, mapWeights, numberwise, type Weights } from "../../tensor/weights.ts";
import { unflatten } from "./flat.ts";

/**
 * theta + scale x for one x, or one scale, after the other: recorded once and replayed (WebGPU). Theta
 * stays the caller's, and as it is.
 */
export class Moved {
  readonly #theta: Weights;
  readonly #step: Recorded<Tensors, Tensors>;

  constructor(theta: Weights) {
    this.#theta = theta;
    this.#step = new Recorded(({ scale, ...x }) =>
      mapWeights(
        theta,
        (tensor, name) =>
          numberwise((a, b) => tf.add(a, tf.mul(b, tf.reshape(scale, []))), tensor, x[name]),
      ) as Tensors
    );
  }

  /**
   * @param x as `flatten` lays theta's names out
   * @returns a set of its own of tensors that stay this object's: they hold until the next call
   */
  by(x: Float32Array, scale: number): Weights {
    const inputs = { ...unflatten(x, this.#theta), scale: tf.tensor1d([scale]) };
    const moved = { ...this.#step.run(inputs) };
    disposeWeights(inputs);
    return moved;
  }

  dispose(): void {
    this.#step.dispose();
  }
}
