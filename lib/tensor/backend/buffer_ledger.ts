/** What buffers of a device take: tensors, recordings, pieces, staging. */
export interface BufferLedger {
  /** Bytes of all buffers that are there. */
  readonly bytes: number;
  /** The most that they were since {@link forgetPeak}. */
  readonly peak: number;
  /** Begins a new peak, at what is there now. */
  forgetPeak(): void;
}

/**
 * Counts a device's buffers from now on, whoever makes them: tfjs knows of its own alone, and a
 * recording's are none of them. A buffer that is freed without `destroy` stays counted.
 */
export function countBuffers(device: GPUDevice): BufferLedger {
  let [bytes, peak] = [0, 0];
  const create = device.createBuffer.bind(device);
  device.createBuffer = (descriptor) => {
    const buffer = create(descriptor);
    const { size } = buffer;
    bytes += size;
    peak = Math.max(peak, bytes);
    const destroy = buffer.destroy.bind(buffer);
    let there = true;
    buffer.destroy = () => {
      if (there) bytes -= size;
      there = false;
      destroy();
    };
    return buffer;
  };
  return {
    get bytes() {
      return bytes;
    },
    get peak() {
      return peak;
    },
    forgetPeak() {
      peak = bytes;
    },
  };
}
