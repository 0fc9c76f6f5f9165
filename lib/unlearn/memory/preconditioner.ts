import * as tf from "@tensorflow/tfjs";
import { matMul } from "../../tensor/mat_mul.ts";
import { mapWeights, type Weights } from "../../tensor/weights.ts";
import { type GradientMoments, rotate } from "./gradient_moments.ts";

/** What a step is damped by, scalars by the names of theta. */
export interface StepSettings {
  /** log s: the size of the step. */
  readonly logSize: Weights;
  /** log lambda: what is added to D. */
  readonly logDamping: Weights;
  /** pi: (D + lambda)^-pi; 0 leaves the gradient as it is, 1 divides by the moment. */
  readonly power: Weights;
}

/**
 * s (D + lambda)^-pi of a tensor's gradient, taken in its bases; for a matrix
 * s U_G ((D + lambda)^-pi * (U_GT g U_A)) U_AT. Linear in the gradient.
 *
 * @param gradient in theta's shape
 * @returns in theta's shape; the caller disposes it
 */
export function precondition(
  gradient: tf.Tensor,
  name: string,
  { left, right, diagonal }: GradientMoments,
  { logSize, logDamping, power }: StepSettings,
): tf.Tensor {
  return tf.tidy(() => {
    const damped = tf.add(diagonal[name], tf.exp(logDamping[name]));
    const factor = tf.mul(tf.exp(logSize[name]), tf.pow(damped, tf.neg(power[name])));
    if (!left[name]) return tf.mul(gradient, factor);
    const scaled = tf.mul(rotate(gradient, left[name], right[name]), factor);
    const back = matMul(matMul(left[name], scaled), right[name], { transposeB: true });
    return tf.reshape(back, gradient.shape);
  });
}

/** {@link precondition} of every tensor; the caller disposes the result. */
export function preconditionAll(
  gradients: Weights,
  moments: GradientMoments,
  settings: StepSettings,
): Weights {
  return mapWeights(gradients, (g, name) => precondition(g, name, moments, settings));
}

/** Gradients of a scalar with respect to {@link StepSettings}. */
export type StepSettingsGradient = StepSettings;

/**
 * Pulls a cotangent of the preconditioned gradient back to the settings: with y = s f(D) x in the bases,
 * dy/dlog s = y, dy/dlog lambda = -pi lambda / (D + lambda) y, dy/dpi = -log(D + lambda) y.
 *
 * @param cotangent dA/d(step), in theta's shape
 * @returns scalars by the names of theta; the caller disposes them
 */
export function settingsGradient(
  gradients: Weights,
  cotangent: Weights,
  { left, right, diagonal }: GradientMoments,
  { logSize, logDamping, power }: StepSettings,
): StepSettingsGradient {
  const parts = Object.keys(gradients).map((name) =>
    tf.tidy(() => {
      const inBasis = (x: tf.Tensor) => left[name] ? rotate(x, left[name], right[name]) : x;
      const lambda = tf.exp(logDamping[name]);
      const damped = tf.add(diagonal[name], lambda);
      const factor = tf.mul(tf.exp(logSize[name]), tf.pow(damped, tf.neg(power[name])));
      const product = tf.mul(
        tf.mul(inBasis(gradients[name]), factor),
        inBasis(cotangent[name]),
      );
      return [
        name,
        tf.sum(product),
        tf.neg(tf.mul(tf.mul(power[name], lambda), tf.sum(tf.div(product, damped)))),
        tf.neg(tf.sum(tf.mul(tf.log(damped), product))),
      ] as const;
    })
  );
  return {
    logSize: Object.fromEntries(parts.map(([name, of]) => [name, of])),
    logDamping: Object.fromEntries(parts.map(([name, , of]) => [name, of])),
    power: Object.fromEntries(parts.map(([name, , , of]) => [name, of])),
  };
}
