import type { DataId, DataType, Tensor, TensorInfo } from "@tensorflow/tfjs";
import { WebGPUBackend } from "@tensorflow/tfjs-backend-webgpu";

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

/** Numbers of a program that lie in its uniform buffer. */
export type ProgramUniform = { type: string; data: number[] }[];

/** A program as tfjs runs it; its pipeline is compiled when it reaches the queue. */
export interface TfjsProgram {
  readonly outputShape: number[];
  readonly outputComponent?: number;
  readonly size?: boolean;
  readonly pixelsOpType?: unknown;
  dispatch: [number, number, number];
  pipeline: GPUComputePipeline;
}

/** The parts of tfjs's WebGPU backend that Lethe builds on; some are private in its types. */
export interface TfjsBackend {
  readonly device: GPUDevice;
  readonly queue: GPUQueue;
  readonly tensorMap: {
    get(id: DataId): TensorData;
    set(id: DataId, data: TensorData): void;
    has(id: DataId): boolean;
  };
  readonly bufferManager: {
    acquireBuffer(size: number, usage: number): GPUBuffer;
    readonly numBytesAllocated: number;
  };
  commandEncoder: GPUCommandEncoder | null;
  ensureCommandEncoderReady(): void;
  endComputePassEncoder(): void;
  submitQueue(): void;
  uploadToGPU(id: DataId): void;
  read(id: DataId): Promise<ArrayLike<number>>;
  getBufferData(buffer: GPUBuffer): Promise<ArrayBuffer>;
  tensorToBinding(tensor: TensorInfo | null): GPUBufferBinding | null;
  makeUniforms(uniforms: ProgramUniform): GPUBufferBinding;
  recordAndSubmit(
    program: TfjsProgram,
    output: TensorInfo,
    inputs: TensorInfo[],
    uniforms?: ProgramUniform,
  ): void;
  disposeData(id: DataId, force?: boolean): boolean;
  incRef(id: DataId): void;
  makeTensorInfo(shape: number[], dtype: DataType): TensorInfo;
  readSync(id: DataId): ArrayLike<number>;
}

/** tfjs's WebGPU backend as a class to build on. */
export const TfjsBackend = WebGPUBackend as unknown as new (
  device: GPUDevice,
  info: GPUAdapterInfo,
) => TfjsBackend;

/** Bytes of a tensor on the device: every type that Lethe uses takes four per number. */
export function bytesOf({ shape }: Pick<Tensor | TensorInfo | TensorData, "shape">): number {
  return 4 * shape.reduce((a, b) => a * b, 1);
}
