import type { ProgressEvent } from "../run/progress.ts";
import type { Device } from "../tensor/device.ts";
import { readMeasured } from "../tensor/kernels/autotune/measured_store.ts";
import { giveOrder } from "../threads/orders.ts";
import { type Stage, STAGE_WORKER } from "./stage.ts";
import type { StageOrder } from "./worker.ts";

/** How stages are run. */
export interface PoolOptions {
  readonly backend: Device["backend"];
  /** Stages at a time. */
  readonly workers: number;
  /** A folder that keeps decoded images. */
  readonly cache?: string | undefined;
}

/** How the pool tells of its stages. */
export interface PoolListener {
  onProgress(stage: Stage, event: ProgressEvent): void;
  /** Gets a line worth knowing, such as that the cache takes no more; each wording once. */
  onNotice(line: string): void;
  onDone(stage: Stage): Promise<void>;
  /** Stages that need this one are left out. */
  onFailed(stage: Stage, message: string): void;
  /** Called where the process ends meanwhile, when the workers have been ended. */
  onExit(): void;
}

/**
 * Runs stages in workers, each on a device of its own: tfjs-wasm computes on one thread. The first stage
 * whose inputs are there goes first, so a grid's first cells are done early.
 *
 * @param stages in an order in which inputs come before what needs them
 * @param done folders that exist already
 * @returns when every stage is done, has failed or cannot be run
 */
export async function runStages(
  stages: readonly Stage[],
  done: ReadonlySet<string>,
  { backend, workers, cache }: PoolOptions,
  listener: PoolListener,
): Promise<void> {
  const ready = new Set(done);
  const waiting = stages.filter(({ out }) => !ready.has(out));
  let wake: (() => void)[] = [];
  let running = 0;

  const next = async (): Promise<Stage | undefined> => {
    for (;;) {
      const index = waiting.findIndex(({ needs }) => needs.every((need) => ready.has(need)));
      if (index >= 0) {
        // At once: the other workers ask before this one has begun.
        running++;
        return waiting.splice(index, 1)[0];
      }
      // What still waits here needs a stage that failed.
      if (running === 0) return undefined;
      await new Promise<void>((resolve) => wake.push(resolve));
    }
  };
  const atWork = new Set<StageWorker>();
  const told = new Set<string>();
  const tell = (line: string) => {
    if (!told.has(line)) listener.onNotice(line);
    told.add(line);
  };
  const begin = () => {
    const worker = new StageWorker(backend, cache);
    atWork.add(worker);
    return worker;
  };
  const end = (worker: StageWorker | undefined) => {
    worker?.end();
    if (worker) atWork.delete(worker);
  };
  const work = async () => {
    let worker: StageWorker | undefined;
    try {
      for (let stage = await next(); stage !== undefined; stage = await next()) {
        try {
          worker ??= begin();
          const own = stage;
          const failure = await worker.run(own, (event) => listener.onProgress(own, event), tell);
          if (failure === null) {
            ready.add(stage.out);
            await listener.onDone(stage);
          } else {
            listener.onFailed(stage, failure);
            // Its tensors may be left behind.
            end(worker);
            worker = undefined;
          }
        } finally {
          running--;
          wake.forEach((resolve) => resolve());
          wake = [];
        }
      }
    } finally {
      end(worker);
    }
  };
  const exit = () => {
    for (const worker of atWork) worker.end();
    listener.onExit();
  };
  globalThis.addEventListener("unload", exit);
  try {
    await Promise.all(Array.from({ length: workers }, work));
  } finally {
    globalThis.removeEventListener("unload", exit);
  }
}

/** One worker and its device. */
class StageWorker {
  readonly #worker = new Worker(new URL("./worker.ts", import.meta.url), {
    type: "module",
    name: STAGE_WORKER,
  });
  readonly #backend: Device["backend"];
  readonly #cache: string | undefined;

  constructor(backend: Device["backend"], cache: string | undefined) {
    this.#backend = backend;
    this.#cache = cache;
  }

  /** Runs one stage; gives null, or why it failed. */
  async run(
    { task, inputs, out }: Stage,
    onProgress: (event: ProgressEvent) => void,
    onNotice: (line: string) => void,
  ) {
    const order: StageOrder = {
      stage: { task, inputs, out },
      backend: this.#backend,
      cache: this.#cache,
      measured: readMeasured(),
    };
    try {
      await giveOrder(this.#worker, order, onProgress, onNotice);
      return null;
    } catch (error) {
      return error instanceof Error ? error.message : String(error);
    }
  }

  end(): void {
    this.#worker.terminate();
  }
}
