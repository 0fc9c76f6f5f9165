import * as tf from "@tensorflow/tfjs";
import { checkDevice } from "../tensor/device_fault.ts";
import { readTogether } from "../tensor/read_together.ts";
import type { Weights } from "../tensor/weights.ts";
import type { Weight } from "./safetensors.ts";

/** Host weights to tensors, under the same names; the caller disposes them. */
export function uploadWeights(weights: ReadonlyMap<string, Weight>): Weights {
  return Object.fromEntries(
    [...weights].map(([name, { values, shape }]) => [name, tf.tensor(values, [...shape])]),
  );
}

/**
 * Tensors to host weights, float32, under the same names.
 *
 * @throws {LetheError} the device was lost or failed: no such numbers become a file
 */
export async function downloadWeights(weights: Weights): Promise<Map<string, Weight>> {
  const tensors = Object.entries(weights);
  const values = await readTogether(tensors.map(([, tensor]) => tensor));
  checkDevice();
  return new Map(
    tensors.map(([name, { shape }], i) => [name, { dtype: "F32", shape, values: values[i] }]),
  );
}
