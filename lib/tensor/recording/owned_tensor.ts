import * as tf from "@tensorflow/tfjs";
import type { LetheBackend } from "../backend/lethe_backend.ts";

/**
 * A tensor that lies in a buffer of somebody else's; disposing it leaves the buffer alone, and what is
 * read of it is never taken for what it holds later.
 *
 * @param offset bytes, a multiple of 256
 * @returns kept: no tidy disposes it
 */
export function tensorIn(
  backend: LetheBackend,
  buffer: GPUBuffer,
  offset: number,
  shape: readonly number[],
  dtype: tf.DataType = "float32",
): tf.Tensor {
  const info = backend.makeTensorInfo([...shape], dtype);
  Object.assign(backend.tensorMap.get(info.dataId), {
    resource: buffer,
    external: true,
    ...offset > 0 ? { offset } : {},
  });
  return tf.keep(tf.engine().makeTensorFromTensorInfo(info));
}

/** The active backend, where it is WebGPU's; null on WASM. */
export function activeWebgpu(): LetheBackend | null {
  return tf.getBackend() === "webgpu" ? tf.backend() as unknown as LetheBackend : null;
}
