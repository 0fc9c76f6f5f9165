/** Nanoseconds between two places in a device's queue, by timestamp queries. */
export class DeviceClock {
  readonly #device: GPUDevice;
  readonly #queries: GPUQuerySet;
  readonly #resolved: GPUBuffer;
  readonly #read: GPUBuffer;

  private constructor(device: GPUDevice) {
    this.#device = device;
    this.#queries = device.createQuerySet({ type: "timestamp", count: 4 });
    const usage = GPUBufferUsage.QUERY_RESOLVE | GPUBufferUsage.COPY_SRC;
    this.#resolved = device.createBuffer({ size: 32, usage });
    this.#read = device.createBuffer({
      size: 32,
      usage: GPUBufferUsage.COPY_DST | GPUBufferUsage.MAP_READ,
    });
  }

  /** The clock of a device; null where it has none. */
  static of(device: GPUDevice): DeviceClock | null {
    return device.features.has("timestamp-query") ? new DeviceClock(device) : null;
  }

  /** Notes the device's time once all is done that was submitted before. */
  begin(): void {
    this.#mark(0);
  }

  /** The same at the end. @returns nanoseconds since {@link begin} */
  async end(): Promise<number> {
    this.#mark(2);
    const encoder = this.#device.createCommandEncoder();
    encoder.resolveQuerySet(this.#queries, 0, 4, this.#resolved, 0);
    encoder.copyBufferToBuffer(this.#resolved, 0, this.#read, 0, 32);
    this.#device.queue.submit([encoder.finish()]);
    await this.#read.mapAsync(GPUMapMode.READ);
    const times = new BigUint64Array(this.#read.getMappedRange().slice(0));
    this.#read.unmap();
    return Number(times[2] - times[1]);
  }

  #mark(first: number): void {
    const encoder = this.#device.createCommandEncoder();
    encoder.beginComputePass({
      timestampWrites: {
        querySet: this.#queries,
        beginningOfPassWriteIndex: first,
        endOfPassWriteIndex: first + 1,
      },
    }).end();
    this.#device.queue.submit([encoder.finish()]);
  }

  dispose(): void {
    this.#queries.destroy();
    this.#resolved.destroy();
    this.#read.destroy();
  }
}
