import { type Device, openDevice } from "../tensor/device.ts";
import {
  keepMeasured,
  type Measured,
  readMeasured,
} from "../tensor/kernels/autotune/measured_store.ts";
import type { ProgressEvent } from "./progress.ts";
import { trainModel, type TrainModelOptions } from "./train_model.ts";

/** A training that a worker can be sent: a backend's name for the device, no callback. */
export type TrainingOrder = Omit<TrainModelOptions, "device" | "onProgress"> & {
  readonly backend: Device["backend"];
  /** What was measured of kernels, since a worker cannot look it up. */
  readonly measured?: Measured;
};

/** What the worker says: progress, or how it ended. */
type Answer = { progress: ProgressEvent } | { done: true } | { failed: string };

/**
 * Trains a model in a worker on a device of its own, so that a second core takes part: tfjs-wasm
 * computes on one thread, and a software adapter leaves the second idle half of the time. The weights
 * are the same as in the main thread, bit for bit.
 *
 * @throws Error what the worker met with
 */
export function trainInWorker(
  order: TrainingOrder,
  onProgress?: (event: ProgressEvent) => void,
): Promise<void> {
  const worker = new Worker(import.meta.url, { type: "module", name: "lethe-train" });
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  worker.onmessage = ({ data }: MessageEvent<Answer>) => {
    if ("progress" in data) onProgress?.(data.progress);
    else if ("done" in data) resolve();
    else reject(new Error(data.failed));
  };
  worker.onerror = (event) => {
    event.preventDefault();
    reject(new Error(event.message));
  };
  worker.postMessage({ ...order, measured: readMeasured() });
  return promise.finally(() => worker.terminate());
}

// In the worker itself this module answers orders.
const self = globalThis as unknown as {
  name?: string;
  onmessage: (event: MessageEvent<TrainingOrder>) => void;
  postMessage(answer: Answer): void;
};
if (self.name === "lethe-train") {
  self.onmessage = async ({ data: { backend, measured, ...order } }) => {
    try {
      if (measured) keepMeasured(measured);
      const device = await openDevice(backend);
      let last = 0;
      await trainModel({
        ...order,
        device,
        onProgress(progress) {
          if (performance.now() - last < 250 && progress.done < progress.total) return;
          last = performance.now();
          self.postMessage({ progress });
        },
      });
      self.postMessage({ done: true });
    } catch (error) {
      self.postMessage({ failed: error instanceof Error ? error.message : String(error) });
    }
  };
}
