import * as tf from "@tensorflow/tfjs";
import type { BackendWasm } from "@tensorflow/tfjs-backend-wasm";

/** What tfjs hands a kernel of its WASM backend; inputs by the names that the ops use. */
export interface WasmKernelArguments {
  readonly inputs: Readonly<Record<string, tf.TensorInfo>>;
  readonly backend: BackendWasm;
  readonly attrs: Readonly<Record<string, number>>;
}

/** Floats of tensors in the backend's heap. Making another output may grow the heap and void them. */
export function floatsOf(backend: BackendWasm, infos: readonly tf.TensorInfo[]): Float32Array[] {
  return infos.map((info) => backend.typedArrayFromHeap(info) as Float32Array);
}

/** New tensors and the floats of inputs and outputs, for loops over elements. */
export function onHeap(
  backend: BackendWasm,
  inputs: readonly tf.TensorInfo[],
  outputShapes: readonly number[][],
): { outputs: tf.TensorInfo[]; from: Float32Array[]; to: Float32Array[] } {
  const outputs = outputShapes.map((shape) => backend.makeOutput(shape, "float32"));
  return { outputs, from: floatsOf(backend, inputs), to: floatsOf(backend, outputs) };
}

/** Registers a kernel for tfjs's WASM backend. */
export function registerWasmKernel(
  kernelName: string,
  kernel: (args: WasmKernelArguments) => tf.TensorInfo | tf.TensorInfo[],
): void {
  tf.registerKernel({
    kernelName,
    backendName: "wasm",
    kernelFunc: (args) => kernel(args as unknown as WasmKernelArguments),
  });
}
