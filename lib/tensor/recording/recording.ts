import * as tf from "@tensorflow/tfjs";
import type { WebGPUBackend } from "@tensorflow/tfjs-backend-webgpu";
import type { LetheBackend } from "../backend/lethe_backend.ts";
import { bytesOf, bytesOfValues, type DeferredForm, TENSOR_USAGE } from "../backend/tensor_data.ts";
import type { Arena } from "./arena.ts";
import { tensorIn } from "./owned_tensor.ts";
import { bindingOf, touch } from "./place.ts";
import { planMemory } from "./plan.ts";
import { Trace, type TracedProgram } from "./trace.ts";

/** Tensors by name. */
export type Tensors = Readonly<Record<string, tf.Tensor>>;
/** What a recording needs to know of an input. */
export interface Form {
  readonly shape: number[];
  readonly dtype: tf.DataType;
  /** How the step computes it from what is written, where it is not written itself. */
  readonly deferred?: DeferredForm | undefined;
}
/** Forms by name. */
export type Forms = Readonly<Record<string, Form>>;

/** A tensor's form. */
export function formOf(backend: LetheBackend, { shape, dtype, dataId }: tf.Tensor): Form {
  return { shape, dtype, deferred: backend.tensorMap.get(dataId).deferred };
}

const NONE: ReadonlySet<string> = new Set();
/** Where uniforms may begin. */
const ALIGNMENT = 256;

/** An input's place, or those of what the step computes it from. */
interface Slot {
  own: tf.Tensor | null;
  readonly from: Record<string, tf.Tensor>;
  readonly deferred: DeferredForm | undefined;
}

/** What the step sees of a slot; within a tidy. */
function inputOf(backend: LetheBackend, { own, from, deferred }: Slot): tf.Tensor {
  if (own) return own;
  const info = deferred!.compute(backend as unknown as WebGPUBackend, from);
  return tf.engine().makeTensorFromTensorInfo(info);
}

interface Command {
  readonly pipeline: GPUComputePipeline;
  readonly bindings: GPUBindGroup;
  readonly workgroups: readonly [number, number, number];
}

/**
 * A step as a list of commands on buffers of its own. It is run by writing its inputs and issuing the
 * list; the step itself, and all of tfjs, runs only while it is recorded.
 */
export class Recording {
  /** Where inputs, or what they are computed from, are written. */
  readonly #slots: Readonly<Record<string, Slot>>;
  /** What the step gave; overwritten by every run. */
  readonly outputs: Tensors;
  /** Bytes of all buffers that belong to the recording alone. */
  readonly bytes: number;
  readonly #backend: LetheBackend;
  readonly #commands: readonly Command[];
  readonly #buffers: GPUBuffer[] = [];
  readonly #trace: Trace;
  /** What {@link run} was told last of the inputs that stay. */
  #version: unknown;

  /**
   * Records a step, and does nothing of it yet.
   *
   * @param step may depend on nothing that changes but its inputs and the contents of tensors that were
   *   there before; what it returns is the recording's. It reads nothing back
   * @param inputs of the shapes to come
   * @param arena for what lives within a run
   */
  constructor(
    backend: LetheBackend,
    step: (inputs: Tensors) => Tensors,
    inputs: Forms,
    arena: Arena,
  ) {
    this.#backend = backend;
    const slots: Record<string, Slot> = this.#slots = {};
    const trace = this.#trace = new Trace(backend);
    let outputs: Tensors = {};
    try {
      for (const [name, form] of Object.entries(inputs)) {
        const { deferred } = form;
        const slot: Slot = slots[name] = { own: null, from: {}, deferred };
        const place = (of: Pick<Form, "shape" | "dtype">) =>
          tensorIn(
            backend,
            this.#buffer(Math.max(4, bytesOf(of)), TENSOR_USAGE),
            0,
            of.shape,
            of.dtype,
          );
        if (!deferred) slot.own = place(form);
        else for (const [part, of] of Object.entries(deferred.from)) slot.from[part] = place(of);
      }
      outputs = this.#traced(step);
      const made = Object.values(outputs).filter((tensor) => trace.makes(tensor))
        .map(({ dataId }) => ({
          data: backend.tensorMap.get(dataId),
          place: trace.placeOf(dataId),
        }));
      // Whoever reads the outputs does so after the last program.
      for (const { place } of made) touch(place, trace.programs.length);
      // What ran op by op so far is replayed from now on, and leaves its memory to this.
      if (backend.commandEncoder) {
        backend.endComputePassEncoder();
        backend.submitQueue();
      }
      backend.freeUnused();
      this.#allocate(trace, arena);
      for (const { data, place } of made) {
        const { buffer, offset } = bindingOf(place);
        Object.assign(data, { resource: buffer, external: true, ...offset ? { offset } : {} });
      }
      this.#commands = this.#bind(trace.programs);
    } catch (error) {
      tf.dispose(Object.values(outputs));
      this.#free();
      throw error;
    }
    this.outputs = outputs;
    this.bytes = this.#buffers.reduce((sum, { size }) => sum + size, 0);
  }

  /** Notes what the step does to the slots; its outputs are kept. */
  #traced(step: (inputs: Tensors) => Tensors): Tensors {
    this.#backend.tracer = this.#trace;
    try {
      return tf.tidy(() => {
        const inputs = Object.entries(this.#slots).map(([name, slot]) =>
          [name, inputOf(this.#backend, slot)] as const
        );
        const outputs = { ...step(Object.fromEntries(inputs)) };
        Object.values(outputs).forEach((tensor) => tf.keep(tensor));
        return outputs;
      });
    } finally {
      this.#backend.tracer = null;
    }
  }

  /** Programs that a run issues. */
  get programs(): number {
    return this.#commands.length;
  }

  /**
   * Runs the step: encodes its inputs and all commands, which the next submission sends off, and waits
   * for nothing.
   *
   * @param inputs of the recorded shapes; numbers that are still on the host go straight into the slots
   * @param staying those of them, by name, that are as they were in the run of the same version
   */
  run(inputs: Tensors, staying: ReadonlySet<string> = NONE, version?: unknown): void {
    const backend = this.#backend;
    const filled = version !== undefined && this.#version === version;
    this.#version = version;
    const names = Object.keys(this.#slots).filter((name) => !filled || !staying.has(name));
    // The queue writes at once: what is encoded already must not see the new inputs.
    const writes = names.some((name) => !backend.tensorMap.get(inputs[name].dataId).resource);
    if (backend.commandEncoder) {
      backend.endComputePassEncoder();
      if (writes) backend.submitQueue();
    }
    backend.ensureCommandEncoderReady();
    const encoder = backend.commandEncoder!;
    for (const name of names) this.#fill(encoder, this.#slots[name], inputs[name]);
    const pass = encoder.beginComputePass();
    let last: GPUComputePipeline | null = null;
    for (const { pipeline, bindings, workgroups: [x, y, z] } of this.#commands) {
      if (pipeline !== last) pass.setPipeline(pipeline);
      last = pipeline;
      pass.setBindGroup(0, bindings);
      pass.dispatchWorkgroups(x, y, z);
    }
    pass.end();
    backend.replayed += this.#commands.length;
  }

  /** Frees all that belongs to the recording, its outputs too. */
  dispose(): void {
    const backend = this.#backend;
    if (backend.commandEncoder) {
      backend.endComputePassEncoder();
      backend.submitQueue();
    }
    tf.dispose(Object.values(this.outputs));
    this.#free();
  }

  #free(): void {
    for (const { own, from } of Object.values(this.#slots)) {
      tf.dispose([...own ? [own] : [], ...Object.values(from)]);
    }
    this.#trace.release();
    this.#buffers.forEach((buffer) => buffer.destroy());
  }

  #fill(encoder: GPUCommandEncoder, slot: Slot, input: tf.Tensor): void {
    const { tensorMap, queue, commandQueueOwnedIds } = this.#backend;
    const data = tensorMap.get(input.dataId);
    for (const [part, { dataId }] of Object.entries(slot.from)) {
      const values = data.deferred!.numbers[part];
      queue.writeBuffer(tensorMap.get(dataId).resource!, 0, values as ArrayBufferView<ArrayBuffer>);
    }
    if (!slot.own) return;
    const to = tensorMap.get(slot.own.dataId).resource!;
    if (data.resource) {
      commandQueueOwnedIds.add(input.dataId);
      encoder.copyBufferToBuffer(data.resource, data.offset ?? 0, to, 0, bytesOf(input));
    } else queue.writeBuffer(to, 0, bytesOfValues(data));
  }

  /** Gives every planned place its memory. */
  #allocate(trace: Trace, arena: Arena): void {
    const own = trace.planned.filter(({ within, last }) => !within && last >= 0);
    const shared = planMemory(own);
    const [alone, others] = [true, false].map((is) =>
      shared.filter(({ places }) => (places[0].alone ?? false) === is)
    );
    const buffers = arena.take(this.#backend.device, others.map(({ bytes }) => bytes));
    others.forEach(({ places }, i) => {
      for (const place of places) place.at = { buffer: buffers[i], offset: 0 };
    });
    for (const { bytes, places: [place] } of alone) {
      place.at = { buffer: this.#buffer(bytes, TENSOR_USAGE), offset: 0 };
    }
  }

  /** Uniforms in one buffer, equal ones once, and a bind group per program. */
  #bind(programs: readonly TracedProgram[]): Command[] {
    const packed: Uint8Array[] = [];
    const known = new Map<string, { offset: number; size: number }>();
    let end = 0;
    const placed = programs.map(({ uniforms }) => {
      const key = new Uint32Array(uniforms).join();
      let at = known.get(key);
      if (!at) {
        at = { offset: end, size: uniforms.byteLength };
        known.set(key, at);
        packed.push(new Uint8Array(uniforms));
        end += Math.ceil(uniforms.byteLength / ALIGNMENT) * ALIGNMENT;
      }
      return at;
    });
    const all = new Uint8Array(Math.max(ALIGNMENT, end));
    [...known.values()].forEach(({ offset }, i) => all.set(packed[i], offset));
    const usage = GPUBufferUsage.UNIFORM | GPUBufferUsage.COPY_DST;
    const buffer = this.#buffer(all.byteLength, usage);
    this.#backend.queue.writeBuffer(buffer, 0, all);
    const layouts = new Map<GPUComputePipeline, GPUBindGroupLayout>();
    return programs.map(({ pipeline, places, workgroups }, i) => {
      const layout = layouts.get(pipeline) ?? pipeline.getBindGroupLayout(0);
      layouts.set(pipeline, layout);
      const resources = [...places.map(bindingOf), { buffer, ...placed[i] }];
      const bindings = this.#backend.device.createBindGroup({
        layout,
        entries: resources.map((resource, binding) => ({ binding, resource })),
      });
      return { pipeline, bindings, workgroups };
    });
  }

  #buffer(size: number, usage: number): GPUBuffer {
    const buffer = this.#backend.device.createBuffer({ size, usage });
    this.#buffers.push(buffer);
    return buffer;
  }
}
