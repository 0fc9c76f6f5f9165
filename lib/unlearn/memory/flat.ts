import * as tf from "@tensorflow/tfjs";
import type { Weights } from "../../tensor/weights.ts";

/**
 * A set of tensors as one host array, one after the other in the order of their names, so that many
 * people's can be kept and added up off the device.
 */
export async function flatten(weights: Weights): Promise<Float32Array> {
  const all = flattened(weights);
  const values = await all.data();
  all.dispose();
  return values as Float32Array;
}

/** {@link flatten} on the device; the caller disposes it. */
export function flattened(weights: Weights): tf.Tensor1D {
  return tf.tidy(() => tf.concat(ordered(weights).map((name) => tf.reshape(weights[name], [-1]))));
}

/**
 * The inverse of {@link flatten}.
 *
 * @param like names and shapes
 * @returns the caller disposes it
 */
export function unflatten(values: Float32Array, like: Weights): Weights {
  const tensors: Record<string, tf.Tensor> = {};
  let at = 0;
  for (const name of ordered(like)) {
    const { shape, size } = like[name];
    tensors[name] = tf.tensor(values.subarray(at, at + size), shape);
    at += size;
  }
  if (at === values.length) return tensors;
  tf.dispose(Object.values(tensors));
  throw new RangeError(`${values.length} values for tensors of ${at}`);
}

/** Adds factor times b to a. */
export function addTo(a: Float32Array, b: Float32Array, factor: number): void {
  for (let i = 0; i < a.length; i++) a[i] += factor * b[i];
}

/** The sum of some rows. @param rows of one length, at least one */
export function sumOf(rows: readonly Float32Array[]): Float32Array {
  const sum = new Float32Array(rows[0].length);
  for (const row of rows) addTo(sum, row, 1);
  return sum;
}

function ordered(weights: Weights): string[] {
  return Object.keys(weights).sort();
}
