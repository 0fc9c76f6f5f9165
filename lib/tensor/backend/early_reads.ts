/** Staging buffers of one size that are kept: a read holds one until its promise resolves. */
const [KEPT, KEPT_BYTES] = [128, 64 * 2 ** 20];
/**
 * Spare staging buffers: how many are mapped ahead when a size is first met, of how many bytes each at
 * most, and how many bytes all spares may take. When they run out, as many again are mapped.
 */
const [SPARES, SPARE_BYTES, ALL_SPARES] = [7, 8 * 2 ** 20, 32 * 2 ** 20];
/** Bytes up to which staging buffers come in few sizes. */
const SMALL = 2 ** 20;

/** A part of a buffer, bytes; multiples of four. */
export interface BufferRange {
  readonly buffer: GPUBuffer;
  readonly offset: number;
  readonly size: number;
}

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
  /** Staging buffers that are free and were mapped once, by size; and how many of a size exist. */
  readonly #free = new Map<number, GPUBuffer[]>();
  readonly #made = new Map<number, number>();
  /** How many reads had their numbers before the promise resolved, of how many reads. */
  readonly told = { early: 0, all: 0 };

  constructor(device: GPUDevice) {
    this.#device = device;
    this.#counter = device.createBuffer({
      size: 4,
      usage: GPUBufferUsage.COPY_SRC | GPUBufferUsage.COPY_DST,
    });
  }

  /**
   * Reads ranges of buffers, behind all that was submitted.
   *
   * @param encoder gets the copies
   * @param submit submits what `encoder` holds
   * @returns the ranges one behind the other
   */
  async read(
    encoder: GPUCommandEncoder,
    submit: () => void,
    ranges: readonly BufferRange[],
  ): Promise<ArrayBuffer> {
    const size = ranges.reduce((sum, range) => sum + range.size, 0);
    const end = Math.ceil(size / 8) * 8;
    const capacity = capacityFor(end + 4);
    const known = this.#free.get(capacity)?.pop();
    const staging = known ?? this.#stage(capacity);
    const count = this.#count = (this.#count + 1) % 2 ** 32;
    this.#device.queue.writeBuffer(this.#counter, 0, new Uint32Array([count]));
    ranges.reduce((at, range) => {
      encoder.copyBufferToBuffer(range.buffer, range.offset, staging, at, range.size);
      return at + range.size;
    }, 0);
    encoder.copyBufferToBuffer(this.#counter, 0, staging, end, 4);
    submit();
    const mapped = staging.mapAsync(GPUMapMode.READ, 0, end + 4);
    this.told.all++;
    if (!known) this.#mapAhead(capacity);
    // The adapter may be writing it: the counter, which is written last, is looked at before all others.
    const early = known ? rangeOf(staging, end + 4) : null;
    if (early && new Uint32Array(early, end, 1)[0] === count) {
      this.told.early++;
      const bytes = early.slice(0, size);
      // A device that is lost meanwhile is told of by those who watch it.
      mapped.then(() => this.#giveBack(staging), () => {});
      return bytes;
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
    this.#made.set(size, (this.#made.get(size) ?? 0) + 1);
    return this.#device.createBuffer({
      size,
      usage: GPUBufferUsage.MAP_READ | GPUBufferUsage.COPY_DST,
    });
  }

  /** Maps spare buffers while a read waits for want of one, so that the next reads need not. */
  #mapAhead(size: number): void {
    if (size > SPARE_BYTES) return;
    const made = this.#made.get(size)!;
    const most = Math.min(keptOf(size), Math.floor(ALL_SPARES / size));
    const spares = Math.min(Math.max(SPARES, made), most - made);
    for (let i = 0; i < spares; i++) {
      const spare = this.#stage(size);
      spare.mapAsync(GPUMapMode.READ).then(() => this.#giveBack(spare), () => {});
    }
  }

  #giveBack(staging: GPUBuffer): void {
    staging.unmap();
    const kept = this.#free.get(staging.size) ?? [];
    this.#free.set(staging.size, kept);
    if (kept.length < keptOf(staging.size)) kept.push(staging);
    else {
      this.#made.set(staging.size, this.#made.get(staging.size)! - 1);
      staging.destroy();
    }
  }
}

/** Bytes of a staging buffer for a read: of few sizes, since the first read of a size has to wait. */
function capacityFor(bytes: number): number {
  const step = bytes <= SMALL ? 3 : 1;
  return 256 * 2 ** (step * Math.max(0, Math.ceil(Math.log2(bytes / 256) / step)));
}

/** How many buffers of so many bytes are kept. */
function keptOf(size: number): number {
  return Math.min(KEPT, Math.floor(KEPT_BYTES / size));
}

/** The memory of a buffer whose mapping is under way; null where the adapter keeps it back until then. */
function rangeOf(staging: GPUBuffer, size: number): ArrayBuffer | null {
  try {
    return staging.getMappedRange(0, size);
  } catch {
    return null;
  }
}
