import { type Device, openDevice } from "../../tensor/device.ts";
import {
  keepMeasured,
  type Measured,
  readMeasured,
} from "../../tensor/kernels/autotune/measured_store.ts";
import { followOrders, giveOrder } from "../../threads/orders.ts";
import type { ProgressEvent } from "../progress.ts";
import { trainModel, type TrainModelOptions } from "../train_model.ts";

/** A training that a worker can be sent: a backend's name for the device, no callback. */
export type TrainingOrder = Omit<TrainModelOptions, "device" | "onProgress"> & {
  readonly backend: Device["backend"];
  /** What was measured of kernels, since a worker cannot look it up. */
  readonly measured?: Measured;
};

const NAME = "lethe-train";

/**
 * Trains a model in a worker on a device of its own, so that a second core takes part: tfjs-wasm
 * computes on one thread, and a software adapter leaves the second idle half of the time. The weights
 * are the same as in the main thread, bit for bit.
 *
 * @throws {LetheError} what the worker refused; Error what it met with otherwise
 */
export function trainInWorker(
  order: TrainingOrder,
  onProgress?: (event: ProgressEvent) => void,
): Promise<void> {
  const worker = new Worker(import.meta.url, { type: "module", name: NAME });
  return giveOrder(worker, { ...order, measured: readMeasured() }, onProgress)
    .finally(() => worker.terminate());
}

followOrders<TrainingOrder, ProgressEvent>(
  NAME,
  async ({ backend, measured, ...order }, onProgress) => {
    if (measured) keepMeasured(measured);
    await trainModel({ ...order, device: await openDevice(backend), onProgress });
  },
);
