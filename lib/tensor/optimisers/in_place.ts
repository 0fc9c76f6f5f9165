import * as tf from "@tensorflow/tfjs";
import type { LetheBackend } from "../backend/lethe_backend.ts";
import { adamWInPlace, sgdInPlace } from "../kernels/webgpu/recorded/in_place_optimisers.ts";
import { packed } from "../pieces/packed.ts";
import { layoutOf, Pieces } from "../pieces/pieces.ts";
import { disposeWeights, type Weights } from "../weights.ts";
import type { AdamWSettings } from "./adamw.ts";
import type { SgdSettings } from "./sgd.ts";

/** An optimiser whose weights and moments lie in pieces that it changes in place (WebGPU). */
export interface InPlaceOptimiser {
  /** The weights. They stay the optimiser's and change with every step. */
  readonly weights: Weights;
  /** Steps begun so far. */
  readonly steps: number;
  /** How many numbers {@link begin} gives. */
  readonly numbers: number;
  /** Begins a step: what of it changes from step to step, on the host; the caller disposes it. */
  begin(learningRate: number): tf.Tensor;
  /** Takes the step that {@link begin} gave the numbers of; may be recorded. */
  step(gradients: Weights, numbers: tf.Tensor): void;
  /** Moments by name (`m.<weight>`). They stay the optimiser's and change with every step. */
  state(): Weights;
  /** Takes over moments of that form, and the number of steps done. */
  restore(state: Weights, steps: number): void;
  dispose(): void;
}

/**
 * @param initial stays the caller's
 * @param kinds names of the moments
 * @param numbersOf what changes with the step
 * @param update one piece: its moments by kind, its gradient, the numbers, and the byte up to which its
 *   weights decay (the layout puts these first)
 */
function inPlace(
  backend: LetheBackend,
  initial: Weights,
  isFirst: ((name: string) => boolean) | undefined,
  kinds: readonly string[],
  numbersOf: (learningRate: number, step: number) => number[],
  update: (
    theta: tf.Tensor,
    moments: Readonly<Record<string, tf.Tensor>>,
    gradient: tf.Tensor,
    numbers: tf.Tensor,
    firstKind: number,
  ) => void,
): InPlaceOptimiser {
  const layout = layoutOf(backend, initial, isFirst);
  const theta = new Pieces(backend, layout);
  theta.write(initial);
  const moments = kinds.map((kind) => ({ kind, pieces: new Pieces(backend, layout) }));
  let steps = 0;
  return {
    weights: theta.weights,
    get steps() {
      return steps;
    },
    numbers: numbersOf(0, 1).length,
    begin: (learningRate) => tf.tensor1d(numbersOf(learningRate, ++steps)),
    step(gradients, numbers) {
      const flat = packed(backend, gradients, layout);
      layout.pieces.forEach(({ firstKind }, i) => {
        const own = Object.fromEntries(moments.map(({ kind, pieces }) => [kind, pieces.flat[i]]));
        update(theta.flat[i], own, flat[i], numbers, firstKind);
      });
      tf.dispose(flat);
    },
    state: () =>
      Object.fromEntries(
        moments.flatMap(({ kind, pieces }) =>
          Object.entries(pieces.weights).map(([name, tensor]) => [`${kind}.${name}`, tensor])
        ),
      ),
    restore(state, done) {
      for (const { kind, pieces } of moments) {
        const own = Object.entries(state).filter(([name]) => name.startsWith(`${kind}.`))
          .map(([name, tensor]) => [name.slice(kind.length + 1), tensor]);
        pieces.write(Object.fromEntries(own));
      }
      disposeWeights(state);
      steps = done;
    },
    dispose() {
      for (const pieces of [theta, ...moments.map((moment) => moment.pieces)]) pieces.dispose();
    },
  };
}

/** `adamW` in place. @param initial stays the caller's */
export function adamWOf(
  backend: LetheBackend,
  initial: Weights,
  settings: AdamWSettings,
): InPlaceOptimiser {
  const { beta1, beta2, weightDecay, amsgrad, decays } = settings;
  return inPlace(
    backend,
    initial,
    decays,
    amsgrad ? ["m", "v", "vmax"] : ["m", "v"],
    (learningRate, step) => [
      1 - learningRate * weightDecay,
      learningRate / (1 - beta1 ** step),
      1 / Math.sqrt(1 - beta2 ** step),
    ],
    (theta, moments, gradient, numbers, firstKind) => {
      const { m, v, vmax } = moments;
      adamWInPlace(backend, theta, { m, v, vmax }, gradient, numbers, settings, firstKind);
    },
  );
}

/** `sgd` in place. @param initial stays the caller's */
export function sgdOf(
  backend: LetheBackend,
  initial: Weights,
  settings: SgdSettings,
): InPlaceOptimiser {
  return inPlace(
    backend,
    initial,
    undefined,
    ["velocity"],
    (learningRate) => [learningRate],
    (theta, { velocity }, gradient, numbers) =>
      sgdInPlace(backend, theta, velocity, gradient, numbers, settings),
  );
}
