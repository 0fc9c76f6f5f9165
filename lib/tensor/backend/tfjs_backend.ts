import type { DataId, DataType, TensorInfo } from "@tensorflow/tfjs";
import { WebGPUBackend } from "@tensorflow/tfjs-backend-webgpu";
import type { TensorData } from "./tensor_data.ts";

/** Numbers of a program that lie in its uniform buffer. */
export type ProgramUniform = { type: string; data: number[] }[];

/** A program as tfjs runs it; its pipeline is compiled when it reaches the queue. */
export interface TfjsProgram {
  readonly outputShape: number[];
  readonly outputComponent?: number;
  readonly size?: boolean;
  readonly pixelsOpType?: unknown;
  readonly variableNames: readonly string[];
  /** What distinguishes its code; tfjs adds ranks and types when it runs. */
  shaderKey: string;
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
    numBytesAllocated: number;
    numFreeBuffers: number;
    /** What freed tensors left for those to come, by size and usage. */
    readonly freeBuffers: ReadonlyMap<string, GPUBuffer[]>;
  };
  commandEncoder: GPUCommandEncoder | null;
  /** Tensors in commands that are not submitted yet: their buffers are given away only afterwards. */
  readonly commandQueueOwnedIds: WeakSet<DataId>;
  ensureCommandEncoderReady(): void;
  endComputePassEncoder(): void;
  submitQueue(): void;
  uploadToGPU(id: DataId): void;
  read(id: DataId): Promise<ArrayLike<number>>;
  getBufferData(buffer: GPUBuffer): Promise<ArrayBuffer>;
  tensorToBinding(tensor: TensorInfo | null): GPUBufferBinding | null;
  makeUniforms(uniforms: ProgramUniform): GPUBufferBinding;
  runWebGPUProgram(
    program: TfjsProgram,
    inputs: TensorInfo[],
    outputType: DataType,
    uniforms?: ProgramUniform,
    output?: TensorInfo,
  ): TensorInfo;
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
  shouldExecuteOnCPU(inputs: TensorInfo[], sizeThreshold?: number): boolean;
}

/** tfjs's WebGPU backend as a class to build on. */
export const TfjsBackend = WebGPUBackend as unknown as new (
  device: GPUDevice,
  info: GPUAdapterInfo,
) => TfjsBackend;
