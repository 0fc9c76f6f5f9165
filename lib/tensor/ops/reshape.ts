import * as tf from "@tensorflow/tfjs";
import { customGradient } from "../custom_gradient.ts";
import type { Attributes, Op } from "../op.ts";

function shapeOf(attributes: Attributes): number[] {
  const shape = attributes.shape;
  if (typeof shape === "number" || shape === undefined) {
    throw new TypeError("attribute shape is not a list");
  }
  return [...shape];
}

// tfjs's own reshape would keep its dy, and so the memory that dy shares.
const reshaped = (shape: number[]) =>
  customGradient((x) => ({
    value: tf.reshape(x as tf.Tensor, shape),
    gradFunc: (dy: tf.Tensor) => tf.reshape(dy, (x as tf.Tensor).shape),
  }));

/** The same elements under another shape (attribute `shape`, one entry may be -1). Linear. */
export const reshape: Op = {
  name: "reshape",
  formula: "y = x, read with another shape, linear",
  forward: ([x], attributes) => reshaped(shapeOf(attributes))(x),
  jvp: (_inputs, [dx], attributes) => tf.reshape(dx!, shapeOf(attributes)),
};
