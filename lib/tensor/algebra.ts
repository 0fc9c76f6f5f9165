import * as tf from "@tensorflow/tfjs";
import type { Algebra } from "./op.ts";

export type { Algebra };

/** Ordinary tensors; tfjs's tape records the ops, so gradients can be taken. */
export const plain: Algebra<tf.Tensor> = {
  constant: (tensor) => tensor,
  apply: (op, inputs, attributes = {}) => op.forward(inputs, attributes),
  scope: (f) => tf.tidy(f),
};

/** A value and its directional derivative; null stands for a derivative of zero. */
export interface Dual {
  /** The value. */
  readonly primal: tf.Tensor;
  /** Its derivative along the direction; null for zero. */
  readonly tangent: tf.Tensor | null;
}

/** Dual numbers: each op's value and its tangent, side by side (forward-mode differentiation). */
export const dual: Algebra<Dual> = {
  constant: (tensor) => ({ primal: tensor, tangent: null }),
  apply(op, inputs, attributes = {}) {
    const primals = inputs.map((input) => input.primal);
    const tangents = inputs.map((input) => input.tangent);
    const together = tf.tidy(() =>
      op.dual?.(primals, tangents, attributes) as unknown as tf.TensorContainerObject
    ) as unknown as Dual | null | undefined;
    if (together) return together;
    if (op.parts) return op.parts(dual, inputs, attributes);
    const primal = op.forward(primals, attributes);
    const moves = tangents.some((tangent) => tangent !== null);
    return { primal, tangent: moves ? op.jvp(primals, tangents, attributes, primal) : null };
  },
  scope(f) {
    // tfjs's type of what a tidy may give back knows no null, its code does.
    return tf.tidy(() => f() as unknown as tf.TensorContainerObject) as unknown as Dual;
  },
};

/** Dual numbers from tensors and their tangents by name; a name without a tangent does not move. */
export function dualsOf(
  primals: Readonly<Record<string, tf.Tensor>>,
  tangents: Readonly<Record<string, tf.Tensor>>,
): Record<string, Dual> {
  const entries = Object.entries(primals);
  return Object.fromEntries(
    entries.map(([name, primal]) => [name, { primal, tangent: tangents[name] ?? null }]),
  );
}
