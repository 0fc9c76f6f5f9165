import type { DataType, TensorInfo } from "@tensorflow/tfjs";
import type { WebGPUBackend } from "@tensorflow/tfjs-backend-webgpu";

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
  /** Lethe's: what it is computed from when it is first needed; until then it has no buffer. */
  deferred?: Deferred;
}

/** How a tensor is computed from numbers on the host, by the recorded step that it is an input of or at once. */
export interface DeferredForm {
  /** All that it depends on besides the numbers: equal keys, the same programs. */
  readonly key: string;
  /** What it is computed from. */
  readonly from: Readonly<Record<string, { readonly shape: number[]; readonly dtype: DataType }>>;
  /** Runs the programs. @returns the caller's */
  readonly compute: (
    backend: WebGPUBackend,
    from: Readonly<Record<string, TensorInfo>>,
  ) => TensorInfo;
}

/** A tensor that is not computed yet. */
export interface Deferred extends DeferredForm {
  /** By the names of `from`. */
  readonly numbers: Readonly<Record<string, Float32Array | Int32Array>>;
  /** Called when the numbers are not needed any more. */
  readonly done?: () => void;
}

/** Usage of every buffer that holds a tensor. */
export const TENSOR_USAGE = 0x80 | 0x04 | 0x08; // STORAGE | COPY_SRC | COPY_DST

/** Bytes of a tensor on the device: every type that Lethe uses takes four per number. */
export function bytesOf({ shape }: Pick<TensorInfo | TensorData, "shape">): number {
  return 4 * shape.reduce((a, b) => a * b, 1);
}

/** A tensor's numbers on the host, as the device holds them. */
export function bytesOfValues(
  { values, dtype }: Pick<TensorData, "values" | "dtype">,
): ArrayBufferView<ArrayBuffer> {
  const View = dtype === "float32" ? Float32Array : Int32Array;
  return values instanceof View ? values as ArrayBufferView<ArrayBuffer> : View.from(values!);
}
