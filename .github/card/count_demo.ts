/**
 * What the demo asks of its host on a card, counted where there is none: the demo, word for word, on any
 * WebGPU adapter (llvmpipe will do) with the kernels for cards and every dispatch left out, so that what
 * remains is what a card would wait for. Counts are of the main thread; models that are trained in workers
 * are trained there too, without dispatches, and not counted. Processor time needs Linux.
 *
 *     deno run -A .github/card/count_demo.ts [people] [memory|metaunlearn]
 *
 * Prints a line per stage, then all of it as JSON.
 */
import { DEMO, demo, type DemoMethod } from "../../lib/run/demo.ts";
import type { LetheBackend } from "../../lib/tensor/backend/lethe_backend.ts";
import { type Device, openDevice } from "../../lib/tensor/device.ts";
import { setCard } from "../../lib/tensor/kernels/webgpu/card.ts";
import { Arena } from "../../lib/tensor/recording/arena.ts";
import { activeWebgpu } from "../../lib/tensor/recording/owned_tensor.ts";

/** Counts of a stage. */
interface Counts {
  /** Programs that ran op by op, and that recordings issued. */
  opByOp: number;
  replayed: number;
  reads: number;
  /** Shaders compiled. */
  pipelines: number;
  recordings: number;
  /** Processor time of the main thread, ms. */
  cpu: number;
}

/** Processor time of this thread, ms. */
function cpu(): number {
  return Number(Deno.readTextFileSync("/proc/thread-self/schedstat").split(" ")[0]) / 1e6;
}

/** Whether programs run: none does but those that take rows out of the weights. */
let running = false;

/** Leaves every dispatch of this thread out unless it is one that is to run. */
function leaveOut(backend: LetheBackend): void {
  const dispatch = GPUComputePassEncoder.prototype.dispatchWorkgroups;
  GPUComputePassEncoder.prototype.dispatchWorkgroups = function (...args) {
    if (running) dispatch.apply(this, args);
  };
  // A step that changes no weight is refused: what is read is not zero, and rows are taken out.
  const read = backend.reads.read;
  backend.reads.read = async function (...args) {
    const bytes = await read.apply(this, args);
    const numbers = new Float32Array(bytes);
    return numbers.every((x) => x === 0) ? numbers.fill(0.01).buffer : bytes;
  };
  const queue = backend.recordAndSubmit;
  backend.recordAndSubmit = function (program, ...args) {
    running = program.shaderKey.startsWith("lethe accumulate");
    queue.call(this, program, ...args);
    running = false;
  };
}

/** Leaves them out in workers that train, too; those for input have no device. */
function leaveOutInWorkers(folder: string): void {
  const Started = globalThis.Worker;
  const first = `${folder}/leave_out.ts`;
  Deno.writeTextFileSync(
    first,
    "GPUComputePassEncoder.prototype.dispatchWorkgroups = function () {};",
  );
  let count = 0;
  globalThis.Worker = class extends Started {
    constructor(url: string | URL, options?: WorkerOptions) {
      const path = `${folder}/worker_${count++}.ts`;
      const own = /train/.test(options?.name ?? "");
      const imports = [`file://${first}`, String(url)].map((each) => JSON.stringify(each));
      if (own) Deno.writeTextFileSync(path, imports.map((each) => `import ${each};\n`).join(""));
      super(own ? `file://${path}` : url, options);
    }
  };
}

if (import.meta.main) {
  const [people, method = "memory"] = Deno.args;
  const folder = await Deno.makeTempDir();
  if (people) Object.assign(DEMO, { identities: Number(people) });
  await openDevice("webgpu");
  setCard(true);
  const backend = activeWebgpu()!;
  leaveOut(backend);
  leaveOutInWorkers(folder);
  const made = { pipelines: 0, recordings: 0 };
  const compile = backend.device.createComputePipeline;
  backend.device.createComputePipeline = function (...args) {
    made.pipelines++;
    return compile.apply(this, args);
  };
  const take = Arena.prototype.take;
  Arena.prototype.take = function (...args) {
    made.recordings++;
    return take.apply(this, args);
  };
  const now = (): Counts => ({
    ...made,
    opByOp: backend.dispatched,
    replayed: backend.replayed,
    reads: backend.reads.told.all,
    cpu: cpu(),
  });
  const begun = now();
  let [stage, before] = ["start", begun];
  const since = (then: Counts) =>
    Object.fromEntries(
      Object.entries(now()).map(([name, value]) => [
        name,
        Math.round(value - then[name as keyof Counts]),
      ]),
    );
  const next = (name: string) => {
    if (name === stage) return;
    console.error(stage, JSON.stringify(since(before)));
    [stage, before] = [name, now()];
  };
  const device: Device = {
    backend: "webgpu",
    adapter: "NVIDIA, as it were",
    software: false,
    precision: "float32",
  };
  try {
    await demo(
      `${folder}/demo`,
      device,
      0,
      ({ stage, done, total }) => next(done >= total ? `after ${stage}` : stage),
      method as DemoMethod,
    );
  } finally {
    next("end");
    console.log(JSON.stringify(since(begun)));
    await Deno.remove(folder, { recursive: true });
  }
  // Workers that were never asked to end hold nothing back.
  Deno.exit(0);
}
