import * as tf from "@tensorflow/tfjs";
import { customGradient } from "../custom_gradient.ts";
import { matMul } from "../mat_mul.ts";
import type { Attributes, Op } from "../op.ts";

/** [rows, size] with a one where the index is. Not tf.oneHot: on WebGPU its floats are integers. */
function oneHot(indices: readonly number[], size: number): tf.Tensor {
  const rows = new Float32Array(indices.length * size);
  indices.forEach((index, i) => rows[i * size + index] = 1);
  return tf.tensor2d(rows, [indices.length, size]);
}

function take(indices: readonly number[]) {
  return customGradient((table) => {
    const size = (table as tf.Tensor).shape[0];
    return {
      value: tf.tidy(() => matMul(oneHot(indices, size), table as tf.Tensor)),
      // A one-hot product instead of a scatter: tfjs-wasm has no UnsortedSegmentSum.
      gradFunc: (dy: tf.Tensor) =>
        tf.tidy(() => matMul(oneHot(indices, size), dy, { transposeA: true })),
    };
  });
}

function indicesOf(attributes: Attributes): readonly number[] {
  const indices = attributes.indices;
  if (typeof indices === "number" || indices === undefined) {
    throw new TypeError("attribute indices is not a list");
  }
  return indices;
}

/** Rows of an embedding table: [identities, width] and attribute `indices` (s of them) give [s, width]. */
export const embeddingRows: Op = {
  name: "embeddingRows",
  formula: "y = E[i], linear: dE = sum of dy over equal i;  y' = E'[i]",
  forward: ([table], attributes) => take(indicesOf(attributes))(table),
  jvp: (_inputs, [dTable], attributes) => take(indicesOf(attributes))(dTable!),
};

/** S E with a selection S [s, identities] that does not move: its gradient is ST dy. */
function select(selection: tf.Tensor) {
  return customGradient((table) => ({
    value: matMul(selection, table as tf.Tensor),
    gradFunc: (dy: tf.Tensor) => matMul(selection, dy, { transposeA: true }),
  }));
}

/**
 * {@link embeddingRows} by a tensor: a selection [s, identities] with a one where the row is, and the
 * table. For steps that are recorded, whose rows change from run to run.
 */
export const selectedRows: Op = {
  name: "selectedRows",
  formula: "y = S E, linear in E: dE = ST dy;  y' = S E'",
  forward: ([selection, table]) => select(selection)(table),
  jvp: ([selection], [_selection, dTable]) => select(selection)(dTable!),
};

/** Columns side by side: any number of [s, w_i] give [s, sum w_i]. Linear. */
export const concatColumns: Op = {
  name: "concatColumns",
  formula: "y = [x1 | x2 | ..], linear: dx_i = dy's own columns;  y' = [x1' | x2' | ..]",
  forward: (inputs) => tf.concat([...inputs], 1),
  jvp: (inputs, tangents) =>
    tf.tidy(() => tf.concat(inputs.map((x, i) => tangents[i] ?? tf.zerosLike(x)), 1)),
};
