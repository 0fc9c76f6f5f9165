import type { TrainingRecipe } from "../model/recipes.ts";
import type { Device } from "../tensor/device.ts";
import { kernelProgress, type OnProgress } from "../run/progress.ts";
import { chooseKernels } from "../tensor/kernels/autotune/choose_kernels.ts";
import type { KernelChoice } from "../tensor/kernels/autotune/kernel_choice.ts";
import type { Comparison, Effort } from "./compare.ts";
import { type CardFigures, measureCard } from "./card_report.ts";
import { type InputRate, measureInput } from "./input_rate.ts";
import { productCase } from "./kernel_case.ts";
import { kernelCases } from "./kernel_cases.ts";
import { type KernelFigures, measureKernels } from "./kernel_report.ts";
import { measurePeakRate, type PeakRate } from "./peak_rate.ts";
import { measureSteps, type StepFigures, type StepReport } from "./step_report.ts";
import { makeWorkload, type WorkloadSettings } from "./workload.ts";

/** What a bench may measure. */
export const BENCH_PARTS = ["steps", "card", "kernels", "input"] as const;
/** One of {@link BENCH_PARTS}. */
export type BenchPart = typeof BENCH_PARTS[number];

/** What to measure, and on what. */
export interface BenchOptions {
  readonly device: Device;
  readonly settings: WorkloadSettings;
  readonly parts: readonly BenchPart[];
  readonly effort: Effort;
  /** Pictures to read, and the recipe that says how they are varied. */
  readonly input: { root: string; files: readonly string[]; recipe: TrainingRecipe };
  readonly onProgress?: OnProgress | undefined;
}

/** One run's figures, all of one adapter. A part that was not asked for is null. */
export interface BenchReport {
  readonly device: string;
  readonly backend: Device["backend"];
  readonly settings: WorkloadSettings;
  /** How products are computed, as measured on this adapter; null on WASM. */
  readonly choice: KernelChoice | null;
  /** The adapter's own limits; null where they cannot be measured (WASM). */
  readonly peak: PeakRate | null;
  readonly steps: readonly StepFigures[] | null;
  /** The meta step (ours) against the naive one's cost (stock), both with Lethe's kernels. */
  readonly naiveMeta: Comparison | null;
  /** Half precision against float32, as in {@link StepReport}; null in float32. */
  readonly float32: StepReport["float32"];
  /** What steps ask of a WebGPU adapter; null on WASM. */
  readonly card: readonly CardFigures[] | null;
  readonly kernels: readonly KernelFigures[] | null;
  readonly input: InputRate | null;
  /**
   * Share of the time that training would wait for its images if nothing overlapped: cutting and
   * uploading a batch, against that and the step. Null unless steps and input were both measured.
   */
  readonly waiting: number | null;
}

/** Seconds in which kernels are chosen: a bench has more time for it than a run. */
const MEASURING = 30;

/** The product that every figure of ours began with: [1024, 768] times [768, 768]. */
const REFERENCE_PRODUCT = productCase("matMul", [1024, 768, 768]);

/**
 * Measures this adapter: steps and kernels against stock tfjs by turns, memory, input pipeline.
 *
 * @throws LetheError a picture cannot be read
 */
export async function bench(options: BenchOptions): Promise<BenchReport> {
  const { device, settings, parts, effort, onProgress } = options;
  const report = (stage: string, unit: string) => (done: number, total: number, note: string) =>
    onProgress?.({ stage, done, total, unit, note });
  const webgpu = device.backend === "webgpu";
  const peak = webgpu && (parts.includes("kernels") || parts.includes("card"))
    ? await measurePeakRate()
    : null;
  const cases = [REFERENCE_PRODUCT, ...kernelCases(settings)];
  const choosing = chooseKernels(
    device,
    undefined,
    kernelProgress(onProgress),
    MEASURING,
  );
  if (webgpu && (parts.includes("kernels") || parts.includes("steps"))) {
    for (const each of cases) {
      const prepared = each.prepare();
      await prepared.ours(1);
      prepared.dispose();
    }
    await choosing.settle();
  }
  let steps: Awaited<ReturnType<typeof measureSteps>> | null = null;
  if (parts.includes("steps")) {
    const workload = await makeWorkload(settings, 0);
    steps = await measureSteps(workload, effort, report("steps", "steps"));
    workload.dispose();
  }
  let card: CardFigures[] | null = null;
  if (webgpu && parts.includes("card")) {
    const workload = await makeWorkload(settings, 0);
    card = await measureCard(workload, peak, report("card", "steps"));
    workload.dispose();
  }
  const kernels = parts.includes("kernels")
    ? await measureKernels(cases, effort, peak, report("kernels", "kernels"))
    : null;
  const { root, files, recipe } = options.input;
  const input = parts.includes("input")
    ? await measureInput(root, files, settings.shape, recipe, settings.batch)
    : null;
  const step = steps?.steps.find(({ name }) => name === "training")?.ours.median;
  const load = input ? settings.batch / input.augmented : 0;
  return {
    device: device.adapter,
    backend: device.backend,
    settings,
    choice: choosing.choice ?? null,
    peak,
    steps: steps?.steps ?? null,
    naiveMeta: steps?.naiveMeta ?? null,
    float32: steps?.float32 ?? null,
    card,
    kernels,
    input,
    waiting: step && input ? load / (load + step) : null,
  };
}
