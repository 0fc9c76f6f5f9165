import * as tf from "@tensorflow/tfjs";
import { checkDevice } from "../tensor/device_fault.ts";
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
  const host = new Map<string, Weight>();
  for (const [name, tensor] of Object.entries(weights)) {
    const values = await tensor.data() as Float32Array;
    host.set(name, { dtype: "F32", shape: tensor.shape, values });
  }
  checkDevice();
  return host;
}
