import type { ProgressEvent } from "../run/progress.ts";
import { type Device, openDevice } from "../tensor/device.ts";
import { keepMeasured, type Measured } from "../tensor/kernels/autotune/measured_store.ts";
import { runStage } from "./run_stage.ts";
import type { Stage } from "./stage.ts";

/** What a worker is sent. */
export interface StageOrder {
  readonly stage: Pick<Stage, "task" | "inputs" | "out">;
  readonly backend: Device["backend"];
  /** A folder that keeps decoded images. */
  readonly cache?: string | undefined;
  /** What was measured of kernels, since a worker cannot look it up. */
  readonly measured: Measured;
}

/** What it answers: how far it is, and how it ended. */
export type StageAnswer = { progress: ProgressEvent } | { done: true } | { failed: string };

const self = globalThis as unknown as {
  onmessage: (event: MessageEvent<StageOrder>) => void;
  postMessage(answer: StageAnswer): void;
};

let device: Promise<Device> | undefined;
let last = 0;

self.onmessage = async ({ data: { stage, backend, cache, measured } }) => {
  try {
    keepMeasured(measured);
    device ??= openDevice(backend);
    const onProgress = (progress: ProgressEvent) => {
      if (performance.now() - last < 500) return;
      last = performance.now();
      self.postMessage({ progress });
    };
    await runStage(stage, await device, { cache, onProgress });
    self.postMessage({ done: true });
  } catch (error) {
    self.postMessage({ failed: error instanceof Error ? error.message : String(error) });
  }
};
