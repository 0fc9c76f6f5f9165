import * as tf from "@tensorflow/tfjs";
import type { WebGPUBackend } from "@tensorflow/tfjs-backend-webgpu";
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
const TURNS = 2048;
const REPETITIONS = 5;
/** Floats copied: 64 MiB, more than caches hold. */
const COPIED = 2 ** 24;

/** Seconds of the fastest of some runs, after a first one that compiles. */
async function fastest(run: () => tf.Tensor): Promise<number> {
  let best = Infinity;
  for (let i = 0; i <= REPETITIONS; i++) {
    const start = performance.now();
    await finish(run());
    if (i > 0) best = Math.min(best, (performance.now() - start) / 1000);
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
 * buffer. The least of several runs, since other work can only slow them.
 */
export async function measurePeakRate(): Promise<PeakRate> {
  const invocations = 2 ** 15;
  const sums = Array.from({ length: SUMS }, (_, i) => `s${i}`);
  const lines = sums.map((sum) => `${sum} = fma(${sum}, x, y);`).join(" ");
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
        for (var turn = 0; turn < ${TURNS}; turn = turn + 1) { ${lines} }
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
