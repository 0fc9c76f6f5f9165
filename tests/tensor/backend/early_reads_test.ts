import { assertEquals } from "@std/assert";
import { EarlyReads } from "../../../lib/tensor/backend/early_reads.ts";

// Without an adapter there are no such constants.
const usage = globalThis as { GPUBufferUsage?: unknown; GPUMapMode?: unknown };
usage.GPUBufferUsage ??= { COPY_SRC: 4, COPY_DST: 8, MAP_READ: 1 };
usage.GPUMapMode ??= { READ: 1 };

/** Mapped memory that the device may write to while it is copied from. */
class Memory extends ArrayBuffer {
  /** Called when the copy has its first eight bytes and not yet the others. */
  meanwhile: (() => void) | null = null;

  override slice(begin?: number, end?: number): ArrayBuffer {
    const first = new Uint8Array(super.slice(begin, end));
    this.meanwhile?.();
    const last = new Uint8Array(super.slice(begin, end));
    first.set(last.subarray(8), 8);
    return first.buffer;
  }
}

/** A device of which only what a read takes is there; its copies are done when `finish` is called. */
function slowDevice() {
  const pending: (() => void)[] = [];
  const written = new Map<object, Uint8Array>();
  const finish = () => pending.splice(0).forEach((copy) => copy());
  const made: { memory: Memory; mapped: boolean }[] = [];
  const device = {
    createBuffer({ size }: { size: number }) {
      const own = { memory: new Memory(size), mapped: false };
      made.push(own);
      const buffer = {
        size,
        own,
        mapAsync: () => {
          own.mapped = true;
          return Promise.resolve().then(finish);
        },
        getMappedRange: () => own.memory,
        unmap: () => own.mapped = false,
        destroy() {},
      };
      return buffer;
    },
    queue: {
      writeBuffer(buffer: object, _: number, data: Uint32Array) {
        written.set(buffer, new Uint8Array(data.buffer.slice(0)));
      },
    },
  };
  const encoder = {
    copyBufferToBuffer(
      from: { own: { memory: Memory } },
      at: number,
      to: { own: { memory: Memory } },
      start: number,
      size: number,
    ) {
      const bytes = written.get(from)?.slice() ??
        new Uint8Array(from.own.memory).slice(at, at + size);
      pending.push(() => new Uint8Array(to.own.memory).set(bytes, start));
    },
  };
  return { device, encoder, finish, made };
}

Deno.test("EarlyReads takes nothing that the device wrote while it was copied", async () => {
  const { device, encoder, finish, made } = slowDevice();
  const reads = new EarlyReads(device as unknown as GPUDevice);
  const source = device.createBuffer({ size: 16 });
  const read = async (value: number) => {
    new Uint32Array(source.own.memory).fill(value);
    const range = { buffer: source as unknown as GPUBuffer, offset: 0, size: 16 };
    const bytes = await reads.read(encoder as unknown as GPUCommandEncoder, () => {}, [range]);
    return [...new Uint32Array(bytes)];
  };
  // The first read of a size waits; then its staging buffer, and the spare ones, were mapped once.
  assertEquals(await read(1), [1, 1, 1, 1]);
  await new Promise((resolve) => setTimeout(resolve, 0));
  for (const { memory } of made) memory.meanwhile = finish;
  assertEquals(await read(2), [2, 2, 2, 2]);
  assertEquals(reads.told, { early: 0, all: 2 });
});
