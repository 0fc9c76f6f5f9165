import * as tf from "@tensorflow/tfjs";
import { chunks } from "../data/loader/image_source.ts";
import { checkDevice } from "../tensor/device_fault.ts";
import type { Weights } from "../tensor/weights.ts";
import type { Weight } from "./safetensors.ts";

/** Tensors that are read at a time: each takes its size again meanwhile. */
const AT_ONCE = 32;

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
  const names = Object.keys(weights);
  const read = async (name: string): Promise<[string, Weight]> => {
    const values = await weights[name].data() as Float32Array;
    return [name, { dtype: "F32", shape: weights[name].shape, values }];
  };
  const host: [string, Weight][] = [];
  // One after the other would wait for the device as often as there are tensors.
  for (const some of chunks(names, AT_ONCE)) host.push(...await Promise.all(some.map(read)));
  checkDevice();
  return new Map(host);
}
