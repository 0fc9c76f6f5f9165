import type * as tf from "@tensorflow/tfjs";
import { activeWebgpu } from "./recording/owned_tensor.ts";

/**
 * Numbers of float32 tensors, in their order. One after the other would make the host wait for the device
 * as often as there are tensors; on WebGPU many are read at once.
 */
export async function readTogether(tensors: readonly tf.Tensor[]): Promise<Float32Array[]> {
  const backend = activeWebgpu();
  if (!backend) return await Promise.all(tensors.map((tensor) => tensor.data<"float32">()));
  const ids = tensors.map(({ dataId }) => dataId);
  return await backend.readTogether(ids) as Float32Array[];
}
