import type * as tf from "@tensorflow/tfjs";
import type { LetheBackend } from "../backend/lethe_backend.ts";
import { TENSOR_USAGE } from "../backend/tensor_data.ts";
import { Reads } from "../reads.ts";
import { activeWebgpu } from "./owned_tensor.ts";

/** Numbers that wait on the device, at most. */
const CAPACITY = 1 << 16;
/** Milliseconds of steps after which their results are read, and how many steps that may be. */
const [EVERY, FEWEST, MOST] = [100, 2, 256];

/** What is done with a result once it is there. */
type Then = (values: Float32Array) => void;

/**
 * Results of many steps, gathered on the device and read together: a read makes the host wait for all
 * that is queued, and the device for the host. Fast steps are read in dozens, slow ones every other time,
 * so that the queue stays short.
 */
export class Gathered {
  #buffer: GPUBuffer | null = null;
  #waiting: { offset: number; count: number; then: Then }[] = [];
  #end = 0;
  #begun = performance.now();
  #steps = 0;
  #every = 1;
  readonly #reads = new Reads();

  /**
   * Adds a result, and sends off all that is queued. Waits only where it is time to read.
   *
   * @param tensor may be disposed or overwritten by what is queued later
   * @param then called with its numbers, in the order of the results
   */
  async add(tensor: tf.Tensor, then: Then): Promise<void> {
    const backend = activeWebgpu();
    if (!backend) {
      return await this.#reads.add(tensor.data<"float32">().then(then));
    }
    if (this.#end + tensor.size > CAPACITY) await this.#flush(backend);
    this.#buffer ??= backend.device.createBuffer({ size: 4 * CAPACITY, usage: TENSOR_USAGE });
    backend.uploadToGPU(tensor.dataId);
    const { resource, offset } = backend.tensorMap.get(tensor.dataId);
    backend.ensureCommandEncoderReady();
    backend.endComputePassEncoder();
    backend.commandEncoder!.copyBufferToBuffer(
      resource!,
      offset ?? 0,
      this.#buffer,
      4 * this.#end,
      4 * tensor.size,
    );
    backend.submitQueue();
    this.#waiting.push({ offset: this.#end, count: tensor.size, then });
    this.#end += tensor.size;
    if (++this.#steps >= this.#every) await this.#flush(backend);
  }

  /** Reads all that waits. @throws what the device met with */
  async finish(): Promise<void> {
    await this.#reads.finish();
    const backend = activeWebgpu();
    if (backend) await this.#flush(backend);
    this.#buffer?.destroy();
    this.#buffer = null;
  }

  async #flush(backend: LetheBackend): Promise<void> {
    const [waiting, end] = [this.#waiting.splice(0), this.#end];
    if (waiting.length === 0) return;
    backend.ensureCommandEncoderReady();
    const values = new Float32Array(
      await backend.reads.read(
        backend.commandEncoder!,
        () => backend.submitQueue(),
        this.#buffer!,
        0,
        4 * end,
      ),
    );
    this.#end = 0;
    const each = (performance.now() - this.#begun) / this.#steps;
    this.#every = Math.min(MOST, Math.max(FEWEST, Math.floor(EVERY / each)));
    [this.#steps, this.#begun] = [0, performance.now()];
    for (const { offset, count, then } of waiting) then(values.slice(offset, offset + count));
  }
}
