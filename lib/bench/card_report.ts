import { activeWebgpu } from "../tensor/recording/owned_tensor.ts";
import type { Run } from "./compare.ts";
import { DeviceClock } from "./device_clock.ts";
import { ownSteps } from "./own_steps.ts";
import type { PeakRate } from "./peak_rate.ts";
import { operationsOf, STEP_NAMES, type StepName } from "./step_report.ts";
import type { Workload } from "./workload.ts";

/** What one step asks of a WebGPU adapter and of its host, on average over the fastest row of them. */
export interface CardFigures {
  readonly name: StepName;
  /** Programs that the host queued one by one, and that recordings replayed. */
  readonly queued: number;
  readonly replayed: number;
  /** Milliseconds in all. */
  readonly wall: number;
  /** Milliseconds from the first program to the last on the device's clock; null where it has none. */
  readonly device: number | null;
  /** Milliseconds in which the host was not waiting for the device. */
  readonly host: number;
  /** Bytes written to the device and read from it. */
  readonly up: number;
  readonly down: number;
  /** The most bytes that all buffers of the device took meanwhile, freed ones that are kept for reuse too. */
  readonly bytes: number;
  /** Operations per second as a fraction of the adapter's peak; null where they are not counted. */
  readonly share: number | null;
}

/** Milliseconds that a row of steps takes at least, unless it is long enough at {@link MOST} steps. */
const LONG_ENOUGH = 300;
const MOST = 200;
/**
 * Rows at most, and by which part a row has to be faster than all before for another to follow: a card
 * that waited for programs to be compiled takes up to a second to get back to its full clock.
 */
const [ROWS, FASTER] = [6, 0.03];

/** Counts what passes between host and device while `body` runs. */
async function watched(body: () => Promise<void>) {
  const backend = activeWebgpu()!;
  backend.buffers.forgetPeak();
  const before = { queued: backend.dispatched, replayed: backend.replayed };
  const counts = { up: 0, down: 0, waited: 0 };
  const { queue } = backend.device;
  const [write, read] = [queue.writeBuffer, backend.reads.read];
  // Deno waits within mapAsync for all that is queued.
  const { mapAsync } = GPUBuffer.prototype;
  queue.writeBuffer = function (buffer, offset, data, from, size) {
    counts.up += size ?? data.byteLength;
    return write.call(queue, buffer, offset, data as ArrayBuffer, from, size);
  };
  backend.reads.read = function (...args) {
    for (const { size } of args[2]) counts.down += size;
    return read.apply(backend.reads, args);
  };
  GPUBuffer.prototype.mapAsync = function (...args) {
    const begun = performance.now();
    const mapped = mapAsync.apply(this, args);
    counts.waited += performance.now() - begun;
    return mapped;
  };
  const begun = performance.now();
  try {
    await body();
  } finally {
    queue.writeBuffer = write;
    backend.reads.read = read;
    GPUBuffer.prototype.mapAsync = mapAsync;
  }
  return {
    ...counts,
    bytes: backend.buffers.peak,
    wall: performance.now() - begun,
    queued: backend.dispatched - before.queued,
    replayed: backend.replayed - before.replayed,
  };
}

/** How many steps make a row. */
async function stepsFor(run: Run): Promise<number> {
  await run(2);
  const begun = performance.now();
  await run(2);
  const each = (performance.now() - begun) / 2;
  return Math.max(1, Math.min(MOST, Math.ceil(LONG_ENOUGH / each)));
}

/**
 * What steps ask of the WebGPU adapter: programs, time on device and host, bytes.
 *
 * @param peak the adapter's; null where it was not measured
 */
export async function measureCard(
  workload: Workload,
  peak: PeakRate | null,
  onStep?: (done: number, total: number, name: string) => void,
): Promise<CardFigures[]> {
  const steps = ownSteps(workload);
  const clock = DeviceClock.of(activeWebgpu()!.device);
  const figures: CardFigures[] = [];
  for (const [i, name] of STEP_NAMES.entries()) {
    onStep?.(i, STEP_NAMES.length, name);
    const run = steps.runs[name];
    const times = await stepsFor(run);
    const row = async () => {
      clock?.begin();
      const counted = await watched(() => run(times));
      return { ...counted, device: clock ? await clock.end() / 1e6 / times : null };
    };
    let best = await row();
    for (let rows = 1; rows < ROWS; rows++) {
      const next = await row();
      const faster = next.wall < (1 - FASTER) * best.wall;
      if (next.wall < best.wall) best = next;
      if (!faster) break;
    }
    const { waited, device, ...counted } = best;
    const operations = operationsOf(name, workload);
    const share = operations && peak
      ? operations / ((device ?? counted.wall / times) * 1e6) / peak.flops
      : null;
    figures.push({
      name,
      queued: counted.queued / times,
      replayed: counted.replayed / times,
      wall: counted.wall / times,
      device,
      host: Math.max(0, counted.wall - waited) / times,
      up: counted.up / times,
      down: counted.down / times,
      bytes: counted.bytes,
      share,
    });
  }
  onStep?.(STEP_NAMES.length, STEP_NAMES.length, "");
  clock?.dispose();
  steps.dispose();
  return figures;
}
