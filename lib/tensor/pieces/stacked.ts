import * as tf from "@tensorflow/tfjs";
import { bytesOf } from "../backend/tensor_data.ts";
import { activeWebgpu } from "../recording/owned_tensor.ts";

/**
 * Tensors of one shape side by side, as `tf.stack` puts them, by copies alone (WebGPU, outside of recorded
 * steps): tfjs compiles a program for each number of them.
 *
 * @param tensors at least one, float32; they stay the caller's
 * @returns [tensors, ...shape], the caller's
 */
export function stacked(tensors: readonly tf.Tensor[]): tf.Tensor {
  const backend = activeWebgpu();
  if (!backend || backend.tracer) return tf.tidy(() => tf.stack([...tensors]));
  const [{ shape }] = tensors;
  const all = tf.engine().makeTensorFromTensorInfo(
    backend.makeTensorInfo([tensors.length, ...shape], "float32"),
  );
  for (const { dataId } of [all, ...tensors]) backend.uploadToGPU(dataId);
  backend.ensureCommandEncoderReady();
  backend.endComputePassEncoder();
  const to = backend.tensorMap.get(all.dataId).resource!;
  const bytes = bytesOf(tensors[0]);
  backend.commandQueueOwnedIds.add(all.dataId);
  tensors.forEach(({ dataId }, i) => {
    const { resource, offset = 0 } = backend.tensorMap.get(dataId);
    backend.commandQueueOwnedIds.add(dataId);
    backend.commandEncoder!.copyBufferToBuffer(resource!, offset, to, i * bytes, bytes);
  });
  return all;
}
