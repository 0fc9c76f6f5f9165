import { compare, type Comparison, type Effort } from "./compare.ts";
import type { KernelCase, KernelTitle } from "./kernel_case.ts";
import type { PeakRate } from "./peak_rate.ts";

/** How one kernel does on one shape. */
export interface KernelFigures extends Comparison, Omit<KernelTitle, "work"> {
  /** At the median, in `unit`. */
  readonly rate: number;
  /** Rate as a fraction of the adapter's own measured peak in that unit. */
  readonly share: number;
  /** Whether every pair of turns found it slower than the stock op that it replaces, twice over. */
  readonly slower: boolean;
}

/**
 * Measures kernels one after another, each against the stock op by turns.
 *
 * @param peak the adapter's; null where none can be measured (WASM): the best rate met here stands in
 */
export async function measureKernels(
  cases: readonly KernelCase[],
  effort: Effort,
  peak: PeakRate | null,
  onCase?: (done: number, total: number, name: string) => void,
): Promise<KernelFigures[]> {
  const measured: Omit<KernelFigures, "share">[] = [];
  for (const [i, { name, shape, work, unit, prepare }] of cases.entries()) {
    onCase?.(i, cases.length, name);
    const { ours, stock, dispose } = prepare();
    try {
      let comparison = await compare({ ours, stock }, effort);
      // Of many kernels some lose a few turns by chance, even to themselves: ask those again.
      if (comparison.ratio.max < 1) comparison = await compare({ ours, stock }, effort);
      const rate = work / comparison.ours.median / 1e9;
      measured.push({ name, shape, rate, unit, slower: comparison.ratio.max < 1, ...comparison });
    } finally {
      dispose();
    }
  }
  onCase?.(cases.length, cases.length, "");
  const best = (unit: KernelTitle["unit"]) =>
    Math.max(
      unit === "GFLOP/s" ? peak?.flops ?? 0 : peak?.bytes ?? 0,
      ...measured.filter((kernel) => kernel.unit === unit).map(({ rate }) => rate),
    );
  return measured.map((kernel) => ({ ...kernel, share: kernel.rate / best(kernel.unit) }));
}
