import type * as tf from "@tensorflow/tfjs";
import type { LetheBackend } from "../backend/lethe_backend.ts";
import { TENSOR_USAGE } from "../backend/tensor_data.ts";
import { Reads } from "../reads.ts";
import { activeWebgpu } from "./owned_tensor.ts";

/** Numbers that wait on the device, at most, unless told otherwise or one result is larger. */
const CAPACITY = 1 << 16;
/** Milliseconds of steps after which their results are read, and how many steps that may be. */
const [EVERY, FEWEST, MOST] = [100, 2, 256];

/** What is done with a result once it is there. */
type Then = (...values: Float32Array[]) => void;

/**
 * Results of many steps, gathered on the device and read together: a read makes the host wait for all
 * that is queued, and the device for the host. Fast steps are read in dozens, slow ones every other time,
 * so that the queue stays short.
 */
export class Gathered {
  #buffer: GPUBuffer | null = null;
  #waiting: { counts: number[]; then: Then }[] = [];
  #end = 0;
  #begun = performance.now();
  #steps = 0;
  #every = FEWEST;
  readonly #reads = new Reads();
  #before: Promise<void> = Promise.resolve();
  readonly #most: number;

  /** @param most numbers that wait on the device, unless one result is larger */
  constructor(most = CAPACITY) {
    this.#most = most;
  }

  /**
   * Adds a step's results, and sends off all that is queued. Waits only where it is time to read.
   *
   * @param tensors may be disposed or overwritten by what is queued later
   * @param then called with their numbers, in the order of the steps
   */
  async add(tensors: readonly tf.Tensor[], then: Then): Promise<void> {
    const backend = activeWebgpu();
    if (!backend) {
      const values = Promise.all(tensors.map((tensor) => tensor.data<"float32">()));
      // A read that gave the event loop a turn may end after the next one.
      const before = this.#before;
      this.#before = values.then(async (all) => {
        await before;
        then(...all);
      });
      return await this.#reads.add(this.#before);
    }
    const size = tensors.reduce((sum, tensor) => sum + tensor.size, 0);
    if (this.#end + size > this.#capacity) await this.#flush(backend);
    this.#reserve(backend, size);
    const counts = tensors.map((tensor) => {
      backend.uploadToGPU(tensor.dataId);
      const { resource, offset = 0 } = backend.tensorMap.get(tensor.dataId);
      backend.ensureCommandEncoderReady();
      backend.endComputePassEncoder();
      const to = 4 * this.#end;
      backend.commandEncoder!.copyBufferToBuffer(
        resource!,
        offset,
        this.#buffer!,
        to,
        4 * tensor.size,
      );
      this.#end += tensor.size;
      return tensor.size;
    });
    backend.submitQueue();
    this.#waiting.push({ counts, then });
    if (++this.#steps >= this.#every) await this.#flush(backend);
  }

  get #capacity(): number {
    return this.#buffer ? this.#buffer.size / 4 : 0;
  }

  /** Makes room for results of that size; none waits. */
  #reserve(backend: LetheBackend, size: number): void {
    if (this.#end + size <= this.#capacity) return;
    this.#buffer?.destroy();
    this.#buffer = backend.device.createBuffer({
      size: 4 * Math.max(this.#most, size),
      usage: TENSOR_USAGE,
    });
  }

  /** Reads all that waits, and keeps its memory for more. @throws what the device met with */
  async settle(): Promise<void> {
    await this.#reads.finish();
    const backend = activeWebgpu();
    if (backend) await this.#flush(backend);
  }

  /** Reads all that waits, and frees its memory. @throws what the device met with */
  async finish(): Promise<void> {
    await this.settle();
    this.dispose();
  }

  /** Frees its memory; what waits is not read any more. */
  dispose(): void {
    this.#buffer?.destroy();
    this.#buffer = null;
    this.#waiting = [];
    this.#end = 0;
  }

  async #flush(backend: LetheBackend): Promise<void> {
    const [waiting, end] = [this.#waiting.splice(0), this.#end];
    if (waiting.length === 0) return;
    backend.ensureCommandEncoderReady();
    backend.endComputePassEncoder();
    const values = new Float32Array(
      await backend.reads.read(
        backend.commandEncoder!,
        () => backend.submitQueue(),
        [{ buffer: this.#buffer!, offset: 0, size: 4 * end }],
      ),
    );
    this.#end = 0;
    const each = (performance.now() - this.#begun) / this.#steps;
    this.#every = Math.min(MOST, Math.max(FEWEST, Math.floor(EVERY / each)));
    [this.#steps, this.#begun] = [0, performance.now()];
    let at = 0;
    for (const { counts, then } of waiting) {
      then(...counts.map((count) => values.slice(at, at += count)));
    }
  }
}
