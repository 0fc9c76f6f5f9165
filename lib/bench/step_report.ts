import * as tf from "@tensorflow/tfjs";
import type { Precision } from "../tensor/choices.ts";
import { precision, setPrecision } from "../tensor/precision.ts";
import { disposeWeights } from "../tensor/weights.ts";
import { compare, type Comparison, type Effort, type Run, type Side } from "./compare.ts";
import { finish } from "./finish.ts";
import { letheSteps } from "./lethe_steps.ts";
import { naiveMetaStep } from "./naive_meta_step.ts";
import { forwardOperations, trainingOperations } from "./operations.ts";
import { peakBytes } from "./peak_bytes.ts";
import type { Steps } from "./steps.ts";
import { stockSteps } from "./stock/steps.ts";
import type { Workload } from "./workload.ts";

/** The steps by name, in the report's order. */
export const STEP_NAMES = ["training", "evaluation", "unlearning", "meta"] as const;
/** One of {@link STEP_NAMES}. */
export type StepName = typeof STEP_NAMES[number];

/** How one step does. */
export interface StepFigures extends Comparison {
  readonly name: StepName;
  /** 10^9 operations per second at the median, where the operations are counted. */
  readonly gflops: Readonly<Record<Side, number>> | null;
  /** Most bytes on the device at once, weights and inputs included. */
  readonly peakBytes: Readonly<Record<Side, number>>;
}

/** How all steps do. */
export interface StepReport {
  readonly steps: readonly StepFigures[];
  /** The meta step (ours) against the naive one's cost (stock), both with Lethe's kernels. */
  readonly naiveMeta: Comparison;
  /** The training step in half precision (ours) against float32 (stock); null in float32. */
  readonly float32: Omit<StepFigures, "name" | "gflops"> | null;
}

/** Runs one step to its end and frees what it gives. */
async function runStep(steps: Steps, name: StepName, { images }: Workload): Promise<void> {
  switch (name) {
    case "training": {
      const { value, gradients } = steps.trainingStep(images.forget);
      await finish(value);
      return disposeWeights(gradients);
    }
    case "evaluation":
      return void await steps.evaluation(images.forget);
    case "unlearning":
    case "meta": {
      const result = await (name === "meta" ? steps.metaStep() : steps.unlearningStep());
      await finish(...Object.values(result));
    }
  }
}

/** Steps wait for their own results, so that several take one after another. */
function repeated(step: () => Promise<void>): Run {
  return async (times) => {
    for (let i = 0; i < times; i++) await step();
  };
}

/** A run in a precision of its own. */
function within(choice: Precision, run: Run): Run {
  return (times) => {
    setPrecision(choice);
    return run(times);
  };
}

/** Lethe's training step in half precision (ours) against itself in float32 (stock), by turns. */
async function againstFloat32(ours: Steps, workload: Workload, effort: Effort) {
  const peakBytesOf = { ours: 0, stock: 0 };
  const training = repeated(() => runStep(ours, "training", workload));
  const comparison = await compare(
    { ours: within("half", training), stock: within("float32", training) },
    effort,
    async (run, side) => {
      peakBytesOf[side] = await peakBytes(run);
    },
  );
  setPrecision("half");
  return { ...comparison, peakBytes: peakBytesOf };
}

/** Floating-point operations of a step; null where they are not counted. */
export function operationsOf(name: StepName, { shape, labels, batch }: Workload): number | null {
  if (name === "training") return trainingOperations(shape, labels, batch);
  return name === "evaluation" ? forwardOperations(shape, labels, batch) : null;
}

/**
 * Measures every step of a workload against the stock one, by turns, and the meta step against the
 * naive one's cost. Under half precision also against float32, and without the unlearning step, which
 * is float32 always.
 */
export async function measureSteps(
  workload: Workload,
  effort: Effort,
  onStep?: (done: number, total: number, name: string) => void,
): Promise<StepReport> {
  const bytes = () => tf.memory().numBytes;
  const weights = [workload.theta, workload.phi].flatMap((set) => Object.values(set))
    .reduce((sum, { size }) => sum + 4 * size, 0);
  const before = bytes();
  const ours = letheSteps(workload);
  const between = bytes();
  const stock = stockSteps(workload);
  // What lies on the device for the other side's sake.
  const foreign = { ours: bytes() - between, stock: between - before + weights };
  const half = precision() === "half";
  const names = STEP_NAMES.filter((name) => !half || name !== "unlearning");
  const total = names.length + (half ? 2 : 1);
  const steps: StepFigures[] = [];
  for (const name of names) {
    onStep?.(steps.length, total, name);
    const peak = { ours: 0, stock: 0 };
    const comparison = await compare(
      {
        ours: repeated(() => runStep(ours, name, workload)),
        stock: repeated(() => runStep(stock, name, workload)),
      },
      effort,
      async (run, side) => {
        peak[side] = await peakBytes(run) - foreign[side];
      },
    );
    const operations = operationsOf(name, workload);
    const rate = (side: Side) => operations! / comparison[side].median / 1e9;
    const gflops = operations === null ? null : { ours: rate("ours"), stock: rate("stock") };
    steps.push({ name, ...comparison, gflops, peakBytes: peak });
  }
  onStep?.(steps.length, total, "naive meta step");
  const naiveMeta = await compare({
    ours: repeated(() => runStep(ours, "meta", workload)),
    stock: repeated(() => naiveMetaStep(ours, workload)),
  }, effort);
  if (half) onStep?.(total - 1, total, "training in float32");
  const float32 = half ? await againstFloat32(ours, workload, effort) : null;
  onStep?.(total, total, "");
  ours.dispose();
  stock.dispose();
  return { steps, naiveMeta, float32 };
}
