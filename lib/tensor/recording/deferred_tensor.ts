import * as tf from "@tensorflow/tfjs";
import type { LetheBackend } from "../backend/lethe_backend.ts";
import type { DeferredForm } from "../backend/tensor_data.ts";
import type { Form } from "./recording.ts";

/**
 * A tensor that is computed by the recorded step that it goes into, as a part of that step, and elsewhere
 * when it is first needed: a program, its upload and a copy less for each step that takes images.
 *
 * @param numbers by the names of `form.deferred.from`; not changed until `done` is called
 * @returns the caller's
 */
export function deferredTensor(
  backend: LetheBackend,
  { shape, dtype, deferred }: Form & { readonly deferred: DeferredForm },
  numbers: Readonly<Record<string, Float32Array | Int32Array>>,
  done?: () => void,
): tf.Tensor {
  const info = backend.makeTensorInfo([...shape], dtype);
  backend.tensorMap.get(info.dataId).deferred = {
    ...deferred,
    numbers,
    ...done ? { done } : {},
  };
  return tf.engine().makeTensorFromTensorInfo(info);
}
