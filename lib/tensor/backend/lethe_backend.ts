import type { DataId, DataType, TensorInfo } from "@tensorflow/tfjs";
import type { WebGPUBackend } from "@tensorflow/tfjs-backend-webgpu";
import { type BufferLedger, countBuffers } from "./buffer_ledger.ts";
import { type BufferRange, EarlyReads } from "./early_reads.ts";
import { onLists } from "./number_by_number.ts";
import { bytesOf, bytesOfValues, TENSOR_USAGE, type TensorData } from "./tensor_data.ts";
import { type ProgramUniform, TfjsBackend, type TfjsProgram } from "./tfjs_backend.ts";
import { packUniforms, uniformsOf } from "./uniforms.ts";

/** A program on its way to the queue. */
export interface QueuedProgram {
  readonly pipeline: GPUComputePipeline;
  readonly workgroups: readonly [number, number, number];
  /** Tensors in the order of their bindings. */
  readonly tensors: readonly TensorInfo[];
  /** Which of them the program writes. */
  readonly written: readonly boolean[];
  /** Follows the tensors, at the last binding. */
  readonly uniforms: ArrayBuffer;
}

/** Takes what a step does, in place of the device: see lib/tensor/recording. */
export interface Tracer {
  /** Called with a tensor that a program is about to write: it has no buffer yet. */
  tensor(id: DataId, data: TensorData): void;
  program(program: QueuedProgram): void;
  /**
   * Lets tensors lie in one that contains them, from these bytes on.
   *
   * @param fresh they are yet to be computed
   * @returns those that cannot, by their place in the list: their numbers are to be copied
   */
  join(
    whole: DataId,
    parts: readonly { readonly id: DataId; readonly offset: number }[],
    fresh?: boolean,
  ): number[];
}

/** Bytes of tensors that are read together, unless one is larger. */
const TOGETHER = 32 * 2 ** 20;

/** Uniform buffers that are kept by content. */
const MOST_UNIFORMS = 4096;

/**
 * tfjs's WebGPU backend with uploads through the queue (Deno copies memory that is mapped at creation at
 * a few MB/s), early reads, tensors that begin anywhere in a buffer, and programs that can be recorded.
 */
export class LetheBackend extends TfjsBackend {
  /** Takes programs and tensors while a step is recorded; null otherwise. */
  tracer: Tracer | null = null;
  readonly reads: EarlyReads;
  /** All buffers on the device, recordings' and staging included. */
  readonly buffers: BufferLedger;
  /** Programs that reached the queue one by one. */
  dispatched = 0;
  /** Programs that recordings issued. */
  replayed = 0;
  #uniforms = new Map<string, GPUBufferBinding>();

  constructor(device: GPUDevice, info: GPUAdapterInfo) {
    super(device, info);
    this.buffers = countBuffers(device, () => this.freeUnused());
    this.reads = new EarlyReads(device);
  }

  override uploadToGPU(id: DataId): void {
    const data = this.tensorMap.get(id);
    if (data.resource) return;
    if (data.deferred) return this.compute(id);
    if (data.values === null || data.values === undefined) {
      if (this.tracer) return this.tracer.tensor(id, data);
      data.resource = this.bufferManager.acquireBuffer(bytesOf(data), TENSOR_USAGE);
      return;
    }
    data.resource = this.bufferManager.acquireBuffer(bytesOf(data), TENSOR_USAGE);
    this.queue.writeBuffer(data.resource, 0, bytesOfValues(data));
    // Once uploaded, the host's copy is not needed.
    data.values = null;
  }

  /** Computes a tensor that was put off until it is needed; others stay as they are. */
  compute(id: DataId): void {
    const data = this.tensorMap.get(id);
    const { deferred } = data;
    if (!deferred) return;
    delete data.deferred;
    // It was there before whatever step is being recorded.
    const tracer = this.tracer;
    this.tracer = null;
    const from = Object.fromEntries(
      Object.entries(deferred.from).map(([name, { shape, dtype }]) => {
        const info = this.makeTensorInfo(shape, dtype);
        this.tensorMap.get(info.dataId).values = deferred.numbers[name];
        return [name, info];
      }),
    );
    const found = deferred.compute(this as unknown as WebGPUBackend, from);
    // Its buffer changes hands: neither tensor's commands are submitted yet.
    this.commandQueueOwnedIds.add(id);
    const own = this.tensorMap.get(found.dataId);
    data.resource = own.resource!;
    own.resource = null;
    for (const { dataId } of [found, ...Object.values(from)]) this.disposeData(dataId);
    deferred.done?.();
    this.tracer = tracer;
  }

  override disposeData(id: DataId, force?: boolean): boolean {
    const deferred = this.tensorMap.has(id) ? this.tensorMap.get(id).deferred : undefined;
    const gone = super.disposeData(id, force);
    if (gone) deferred?.done?.();
    return gone;
  }

  /** Small tensors that are on the host are computed with there: those that are put off are not there. */
  override shouldExecuteOnCPU(inputs: TensorInfo[], sizeThreshold?: number): boolean {
    for (const { dataId } of inputs) this.compute(dataId);
    return super.shouldExecuteOnCPU(inputs, sizeThreshold);
  }

  /**
   * Frees the buffers that tfjs keeps for tensors to come: those of a pass that ran op by op are of use to
   * the next one alone.
   */
  freeUnused(): void {
    const manager = this.bufferManager;
    for (const buffers of manager.freeBuffers.values()) {
      for (const buffer of buffers.splice(0)) {
        manager.numFreeBuffers--;
        manager.numBytesAllocated -= buffer.size;
        buffer.destroy();
      }
    }
  }

  override async read(id: DataId): Promise<ArrayLike<number>> {
    if (!this.tensorMap.has(id)) throw new Error(`tensor ${id} is not on the device`);
    this.compute(id);
    const data = this.tensorMap.get(id);
    if (data.values) return data.values;
    if (this.tracer || !data.resource) throw new TypeError("a recorded step reads nothing");
    this.ensureCommandEncoderReady();
    this.endComputePassEncoder();
    const bytes = await this.reads.read(
      this.commandEncoder!,
      () => this.submitQueue(),
      [rangeOf(data)],
    );
    const values = valuesOf(data, bytes);
    // A buffer with another owner changes under its tensor: what was read says nothing of the next read.
    if (!data.external) data.values = values;
    return values;
  }

  /**
   * Numbers of many tensors: one read for as many as go into {@link TOGETHER} bytes, where each by itself
   * would make the host wait for the device.
   */
  async readTogether(ids: readonly DataId[]): Promise<ArrayLike<number>[]> {
    const all: ArrayLike<number>[] = [];
    let [waiting, bytes]: [TensorData[], number] = [[], 0];
    const flush = async () => {
      if (waiting.length === 0) return;
      const some = waiting;
      [waiting, bytes] = [[], 0];
      this.ensureCommandEncoderReady();
      this.endComputePassEncoder();
      const ranges = some.map(rangeOf);
      const read = await this.reads.read(
        this.commandEncoder!,
        () => this.submitQueue(),
        ranges,
      );
      let at = 0;
      some.forEach((data, i) => all.push(valuesOf(data, read.slice(at, at += ranges[i].size))));
    };
    for (const id of ids) {
      this.compute(id);
      const data = this.tensorMap.get(id);
      if (!data.values && (this.tracer || !data.resource)) {
        throw new TypeError("a recorded step reads nothing");
      }
      if (data.values || bytes + bytesOf(data) > TOGETHER) await flush();
      if (data.values) all.push(data.values);
      else {
        waiting.push(data);
        bytes += bytesOf(data);
      }
    }
    await flush();
    return all;
  }

  override tensorToBinding(tensor: TensorInfo | null): GPUBufferBinding | null {
    if (!tensor) return null;
    const { resource, offset } = this.tensorMap.get(tensor.dataId);
    return offset === undefined
      ? { buffer: resource! }
      : { buffer: resource!, offset, size: bytesOf(this.tensorMap.get(tensor.dataId)) };
  }

  override makeUniforms(uniforms: ProgramUniform): GPUBufferBinding {
    const packed = packUniforms(uniforms);
    const key = new Uint32Array(packed).join();
    let binding = this.#uniforms.get(key);
    if (binding === undefined) {
      const buffer = this.device.createBuffer({
        size: packed.byteLength,
        usage: GPUBufferUsage.UNIFORM | GPUBufferUsage.COPY_DST,
      });
      this.queue.writeBuffer(buffer, 0, packed);
      binding = { buffer };
      if (this.#uniforms.size >= MOST_UNIFORMS) this.#uniforms.clear();
      this.#uniforms.set(key, binding);
    }
    return binding;
  }

  override runWebGPUProgram(
    program: TfjsProgram,
    inputs: TensorInfo[],
    outputType: DataType,
    uniforms?: ProgramUniform,
    output?: TensorInfo,
  ): TensorInfo {
    const lists = onLists(program, inputs);
    if (!lists || lists.shape[0] === 0) {
      return super.runWebGPUProgram(program, inputs, outputType, uniforms, output);
    }
    const result = output ?? this.makeTensorInfo(program.outputShape, outputType);
    const list = { ...result, shape: lists.shape };
    super.runWebGPUProgram(lists.program, lists.inputs, outputType, uniforms, list);
    return result;
  }

  override recordAndSubmit(
    program: TfjsProgram,
    output: TensorInfo,
    inputs: TensorInfo[],
    uniforms?: ProgramUniform,
  ): void {
    if (!this.tracer) {
      this.dispatched++;
      return super.recordAndSubmit(program, output, inputs, uniforms);
    }
    this.tracer.program({
      pipeline: program.pipeline,
      workgroups: program.dispatch,
      tensors: [output, ...inputs],
      written: [true, ...inputs.map((_, i) => program.variableNames[i].startsWith("Unread"))],
      uniforms: packUniforms(uniformsOf(program, output, inputs, uniforms)),
    });
  }
}

/** Where a tensor's numbers lie. */
function rangeOf(data: TensorData): BufferRange {
  return { buffer: data.resource!, offset: data.offset ?? 0, size: bytesOf(data) };
}

/** A tensor's numbers as the host has them, from the device's. */
function valuesOf({ dtype }: TensorData, bytes: ArrayBuffer): ArrayLike<number> {
  if (dtype === "float32") return new Float32Array(bytes);
  const integers = new Int32Array(bytes);
  return dtype === "bool" ? Uint8Array.from(integers) : integers;
}
