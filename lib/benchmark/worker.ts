import type { ProgressEvent } from "../run/progress.ts";
import { type Device, openDevice } from "../tensor/device.ts";
import { keepMeasured, type Measured } from "../tensor/kernels/autotune/measured_store.ts";
import { followOrders } from "../threads/orders.ts";
import { runStage } from "./run_stage.ts";
import { type Stage, STAGE_WORKER } from "./stage.ts";

/** What a worker is sent. */
export interface StageOrder {
  readonly stage: Pick<Stage, "task" | "inputs" | "out">;
  readonly backend: Device["backend"];
  /** A folder that keeps decoded images. */
  readonly cache?: string | undefined;
  /** What was measured of kernels, since a worker cannot look it up. */
  readonly measured: Measured;
}

let device: Promise<Device> | undefined;

followOrders<StageOrder, ProgressEvent>(
  STAGE_WORKER,
  async ({ stage, backend, cache, measured }, onProgress, onNotice) => {
    keepMeasured(measured);
    device ??= openDevice(backend);
    await runStage(stage, await device, { cache, onProgress, onNotice });
  },
);
