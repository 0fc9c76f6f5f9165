import { LetheError } from "../../error.ts";
import { byteSize } from "../../files/text/byte_size.ts";

/** What buffers of a device take: tensors, recordings, pieces, staging. */
export interface BufferLedger {
  /** Bytes of all buffers that are there. */
  readonly bytes: number;
  /** The most that they were since {@link forgetPeak}. */
  readonly peak: number;
  /** Begins a new peak, at what is there now. */
  forgetPeak(): void;
  /**
   * Refuses buffers beyond a limit from now on.
   *
   * @param bytes of all buffers; Infinity lifts the limit
   */
  keepWithin(bytes: number): void;
}

/**
 * Counts a device's buffers from now on, whoever makes them: tfjs knows of its own alone, and a
 * recording's are none of them. A buffer that is freed without `destroy` stays counted.
 *
 * @param makeRoom frees what is of no use, where a limit would be passed
 */
export function countBuffers(device: GPUDevice, makeRoom: () => void): BufferLedger {
  let [bytes, peak, most] = [0, 0, Infinity];
  const create = device.createBuffer.bind(device);
  device.createBuffer = (descriptor) => {
    if (bytes + descriptor.size > most) makeRoom();
    if (bytes + descriptor.size > most) throw tooMuch(bytes + descriptor.size, most);
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
    keepWithin(limit) {
      most = limit;
    },
  };
}

function tooMuch(bytes: number, most: number): LetheError {
  return new LetheError(
    `this would take ${byteSize(bytes)} of device memory`,
    `the limit is ${byteSize(most)}`,
    "raise --memory-limit if the device has more, or give a smaller --micro-batch",
  );
}
