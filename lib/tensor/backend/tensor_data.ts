import type { DataType, TensorInfo } from "@tensorflow/tfjs";

/** What tfjs knows of a tensor's numbers. */
export interface TensorData {
  values: ArrayLike<number> | null;
  dtype: DataType;
  shape: number[];
  refCount: number;
  resource?: GPUBuffer | null;
  /** tfjs leaves such a buffer alone when the tensor goes: somebody else owns it. */
  external?: boolean;
  /** Lethe's: where in the buffer the tensor begins, bytes; a multiple of 256. */
  offset?: number;
}

/** Usage of every buffer that holds a tensor. */
export const TENSOR_USAGE = 0x80 | 0x04 | 0x08; // STORAGE | COPY_SRC | COPY_DST

/** Bytes of a tensor on the device: every type that Lethe uses takes four per number. */
export function bytesOf({ shape }: Pick<TensorInfo | TensorData, "shape">): number {
  return 4 * shape.reduce((a, b) => a * b, 1);
}

/** A tensor's numbers on the host, as the device holds them. */
export function bytesOfValues({ values, dtype }: TensorData): ArrayBufferView<ArrayBuffer> {
  const View = dtype === "float32" ? Float32Array : Int32Array;
  return values instanceof View ? values as ArrayBufferView<ArrayBuffer> : View.from(values!);
}
