import * as tf from "@tensorflow/tfjs";
import type { WebGPUBackend } from "@tensorflow/tfjs-backend-webgpu";
import { onCard } from "../tensor/kernels/webgpu/card.ts";
import { cover, flatIndex, runProgram } from "../tensor/kernels/webgpu/program.ts";
import { finish } from "./finish.ts";

/** What an adapter does at most, as measured. */
export interface PeakRate {
  /** 10^9 floating-point operations per second. */
  readonly flops: number;
  /** 10^9 bytes read and written per second. */
  readonly bytes: number;
}

const LANES = 64;
/** Independent sums per invocation: enough to hide a multiply-add's latency, few enough for registers. */
const SUMS = 8;
/** Multiply-adds of each sum, so many written out between two turns of a loop. */
const [TURNS, WRITTEN_OUT] = [2048, 16];
/** Invocations that keep a CPU busy, and a card. */
const INVOCATIONS = { cpu: 2 ** 15, card: 2 ** 20 };
const REPETITIONS = 3;
/** Seconds of work that are queued at once, so that waiting for it does not count; programs at most. */
const [ENOUGH, MOST] = [0.05, 4096];
/** Floats copied: 64 MiB, more than caches hold. */
const COPIED = 2 ** 24;

/** Seconds in which so many runs are queued and done. */
async function secondsOf(run: () => tf.Tensor, times: number): Promise<number> {
  const start = performance.now();
  for (let i = 1; i < times; i++) run().dispose();
  await finish(run());
  return (performance.now() - start) / 1000;
}

/** Seconds of one run among many, of the fastest of some rows, after a first one that compiles. */
async function fastest(run: () => tf.Tensor): Promise<number> {
  await secondsOf(run, 1);
  let times = 1;
  let one = await secondsOf(run, 1);
  // What a wait takes is in every row once: it drops out of the difference of a long one and a short.
  while (times < MOST && await secondsOf(run, times) - one < ENOUGH) times *= 2;
  let best = Infinity;
  for (let i = 0; i < REPETITIONS; i++) {
    if (times === 1) {
      best = Math.min(best, one);
      one = await secondsOf(run, 1);
    } else {
      const short = await secondsOf(run, 1);
      best = Math.min(best, Math.max(0, await secondsOf(run, times) - short) / (times - 1) || best);
    }
  }
  return best;
}

/** tfjs binds uniforms to every program, and a program that reads none of them is refused. */
function count(value: number) {
  return [{ name: "count", type: "i32" as const, value }];
}

function run(program: Parameters<typeof runProgram>[1], inputs: readonly tf.Tensor[]): tf.Tensor {
  const backend = tf.backend() as WebGPUBackend;
  return tf.engine().makeTensorFromTensorInfo(runProgram(backend, program, inputs));
}

/**
 * Measures the WebGPU adapter's own limits: a loop of multiply-adds in registers, and a copy of a
 * buffer, queued so often that waiting does not count. The least of several rows, since other work can
 * only slow them.
 */
export async function measurePeakRate(): Promise<PeakRate> {
  const invocations = onCard() ? INVOCATIONS.card : INVOCATIONS.cpu;
  const sums = Array.from({ length: SUMS }, (_, i) => `s${i}`);
  const line = sums.map((sum) => `${sum} = fma(${sum}, x, y);`).join(" ");
  const lines = Array.from({ length: WRITTEN_OUT }, () => line).join("\n");
  const [small, large] = [tf.zeros([invocations]), tf.zeros([COPIED])];
  const loop = await fastest(() =>
    run({
      key: "bench fma",
      inputs: ["X"],
      workgroupSize: [LANES, 1, 1],
      workgroups: cover(invocations, LANES),
      outputShape: [invocations],
      uniforms: count(invocations),
      code: `fn main() {
        let i = ${flatIndex(LANES)};
        if (i >= uniforms.count) { return; }
        let x = X[i] + 0.5;
        let y = X[i] + 1.0;
        ${sums.map((sum, i) => `var ${sum} = x * ${i}.0;`).join(" ")}
        for (var turn = 0; turn < ${TURNS / WRITTEN_OUT}; turn = turn + 1) { ${lines} }
        result[i] = ${sums.join(" + ")};
      }`,
    }, [small])
  );
  const copy = await fastest(() =>
    run({
      key: "bench copy",
      inputs: ["X"],
      widths: [4, 4],
      workgroupSize: [LANES, 1, 1],
      workgroups: cover(COPIED / 4, LANES),
      outputShape: [COPIED],
      uniforms: count(COPIED / 4),
      code: `fn main() {
        let i = ${flatIndex(LANES)};
        if (i < uniforms.count) { result[i] = X[i]; }
      }`,
    }, [large])
  );
  tf.dispose([small, large]);
  return {
    flops: 2 * invocations * SUMS * TURNS / loop / 1e9,
    bytes: 2 * 4 * COPIED / copy / 1e9,
  };
}
