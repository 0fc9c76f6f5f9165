/** Staging buffers of one size that are kept: a read holds one until its promise resolves. */
const [KEPT, KEPT_BYTES] = [32, 64 * 2 ** 20];
/** Staging buffers of a size that are mapped ahead when it is first met, up to so many bytes each. */
const [SPARES, SPARE_BYTES] = [7, 2 ** 20];

/**
 * Reads of buffers. Deno waits for the whole queue in `mapAsync` itself, and only then sleeps ten
 * milliseconds before its promise resolves; in a buffer that was mapped before, the numbers can be had
 * meanwhile. WebGPU does not promise that, so every read ends with a counter that the device copies
 * last: where it is not there, or the adapter refuses, the promise is awaited as specified.
 */
export class EarlyReads {
  readonly #device: GPUDevice;
  readonly #counter: GPUBuffer;
  #count = 0;
  /** Staging buffers that were mapped once, by size. */
  readonly #free = new Map<number, GPUBuffer[]>();
  /** Reads that did not wait, and all of them. */
  readonly told = { early: 0, all: 0 };

  constructor(device: GPUDevice) {
    this.#device = device;
    this.#counter = device.createBuffer({
      size: 4,
      usage: GPUBufferUsage.COPY_SRC | GPUBufferUsage.COPY_DST,
    });
  }

  /**
   * Reads a range of a buffer, behind all that was submitted.
   *
   * @param encoder gets the copy
   * @param submit submits what `encoder` holds
   * @param size bytes, a multiple of four
   */
  async read(
    encoder: GPUCommandEncoder,
    submit: () => void,
    buffer: GPUBuffer,
    offset: number,
    size: number,
  ): Promise<ArrayBuffer> {
    const end = Math.ceil(size / 8) * 8;
    const capacity = 2 ** Math.ceil(Math.log2(Math.max(256, end + 4)));
    const isNew = !this.#free.has(capacity);
    const known = this.#free.get(capacity)?.pop();
    const staging = known ?? this.#stage(capacity);
    const count = this.#count = (this.#count + 1) % 2 ** 32;
    this.#device.queue.writeBuffer(this.#counter, 0, new Uint32Array([count]));
    encoder.copyBufferToBuffer(buffer, offset, staging, 0, size);
    encoder.copyBufferToBuffer(this.#counter, 0, staging, end, 4);
    submit();
    const mapped = staging.mapAsync(GPUMapMode.READ, 0, end + 4);
    this.told.all++;
    if (isNew) this.#mapAhead(capacity);
    const early = known ? rangeOf(staging, end + 4) : null;
    if (early && new Uint32Array(early, end, 1)[0] === count) {
      this.told.early++;
      // A device that is lost meanwhile is told of by those who watch it.
      mapped.then(() => this.#giveBack(staging), () => {});
      return early.slice(0, size);
    }
    await mapped;
    if (early) {
      // A range is had once per mapping.
      staging.unmap();
      await staging.mapAsync(GPUMapMode.READ, 0, end + 4);
    }
    const bytes = staging.getMappedRange(0, end + 4).slice(0, size);
    this.#giveBack(staging);
    return bytes;
  }

  #stage(size: number): GPUBuffer {
    return this.#device.createBuffer({
      size,
      usage: GPUBufferUsage.MAP_READ | GPUBufferUsage.COPY_DST,
    });
  }

  /** Maps spare buffers while the first read of their size waits, so that the next reads need not. */
  #mapAhead(size: number): void {
    this.#free.set(size, []);
    for (let i = 0; i < SPARES && size <= SPARE_BYTES; i++) {
      const spare = this.#stage(size);
      spare.mapAsync(GPUMapMode.READ).then(() => this.#giveBack(spare), () => {});
    }
  }

  #giveBack(staging: GPUBuffer): void {
    staging.unmap();
    const kept = this.#free.get(staging.size) ?? [];
    this.#free.set(staging.size, kept);
    if (kept.length < KEPT && (kept.length + 1) * staging.size <= KEPT_BYTES) kept.push(staging);
    else staging.destroy();
  }
}

/** What is in a buffer whose mapping is under way; null where the adapter keeps it back until then. */
function rangeOf(staging: GPUBuffer, size: number): ArrayBuffer | null {
  try {
    return staging.getMappedRange(0, size).slice(0);
  } catch {
    return null;
  }
}
