import * as tf from "@tensorflow/tfjs";
import type { Attributes, Op } from "../op.ts";

function shapeOf(attributes: Attributes): number[] {
  const shape = attributes.shape;
  if (typeof shape === "number" || shape === undefined) {
    throw new TypeError("attribute shape is not a list");
  }
  return [...shape];
}

/** The same elements under another shape (attribute `shape`, one entry may be -1). Linear. */
export const reshape: Op = {
  name: "reshape",
  formula: "y = x, read with another shape, linear",
  forward: ([x], attributes) => tf.reshape(x, shapeOf(attributes)),
  jvp: (_inputs, [dx], attributes) => tf.reshape(dx!, shapeOf(attributes)),
};
