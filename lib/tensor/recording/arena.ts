import { TENSOR_USAGE } from "../backend/tensor_data.ts";

/**
 * Buffers for what lives within a step: recordings that never run at once use the same ones, so that a
 * step of several shapes takes little more than its largest.
 */
export class Arena {
  #buffers: GPUBuffer[] = [];

  /** A buffer for each size, none twice; the smallest that is large enough, or else a new one. */
  take(device: GPUDevice, sizes: readonly number[]): GPUBuffer[] {
    const free = this.#buffers.toSorted((a, b) => a.size - b.size);
    return sizes.map((size) => {
      const found = free.findIndex((buffer) => buffer.size >= size);
      if (found >= 0) return free.splice(found, 1)[0];
      const buffer = device.createBuffer({ size, usage: TENSOR_USAGE });
      this.#buffers.push(buffer);
      return buffer;
    });
  }

  /** Bytes of all buffers. */
  get bytes(): number {
    return this.#buffers.reduce((sum, { size }) => sum + size, 0);
  }

  dispose(): void {
    this.#buffers.forEach((buffer) => buffer.destroy());
    this.#buffers = [];
  }
}
