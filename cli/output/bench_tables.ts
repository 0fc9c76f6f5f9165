import type { BenchReport } from "../../lib/bench/bench.ts";
import type { BothValues, PytorchReport } from "../../lib/bench/against_pytorch.ts";
import type { CardFigures } from "../../lib/bench/card_report.ts";
import type { Comparison, Spread } from "../../lib/bench/compare.ts";
import type { KernelFigures } from "../../lib/bench/kernel_report.ts";
import { percent, table } from "./table.ts";

/** `5.12 (4.80 to 5.31)`. */
function range({ median, min, max }: Spread): string {
  return `${median.toFixed(2)} (${min.toFixed(2)} to ${max.toFixed(2)})`;
}

const seconds = ({ median }: Spread) => median.toPrecision(3);
const timesOf = (
  { ours, stock, ratio }: Comparison,
) => [seconds(ours), seconds(stock), range(ratio)];
const mebibytes = (bytes: number) => (bytes / 2 ** 20).toFixed(1);

/** A bench's figures for people: one table per part that was measured. */
export function benchTables(report: BenchReport): string[] {
  const { choice, peak, steps, naiveMeta, float32, card, kernels, input, waiting } = report;
  const parts: string[][] = [];
  if (steps) {
    const rows = steps.map((step) => [
      step.name,
      ...timesOf(step),
      step.gflops?.ours.toFixed(1) ?? "-",
      step.gflops?.stock.toFixed(1) ?? "-",
      mebibytes(step.peakBytes.ours),
      mebibytes(step.peakBytes.stock),
    ]);
    if (naiveMeta) rows.push(["meta, against nested gradients", ...timesOf(naiveMeta)]);
    if (float32) {
      const { ours, stock } = float32.peakBytes;
      const bytes = [mebibytes(ours), mebibytes(stock)];
      rows.push(["training, half against float32", ...timesOf(float32), "-", "-", ...bytes]);
    }
    parts.push(table(
      ["step", "s", "stock s", "times faster", "GFLOP/s", "stock", "peak MiB", "stock"],
      rows,
    ));
  }
  if (card) parts.push(cardTable(card));
  if (kernels) parts.push(kernelTable(kernels));
  if (choice) parts.push([`products, as measured here: ${kernelCounts(choice.products)}`]);
  if (peak) {
    const { flops, bytes } = peak;
    parts.push([
      `adapter: ${flops.toFixed(1)} GFLOP/s in registers, ${bytes.toFixed(1)} GB/s copied`,
    ]);
  }
  if (input) {
    const { decoded, augmented } = input;
    parts.push([
      `input: ${decoded.toFixed(0)} images/s decoded, ${
        augmented.toFixed(0)
      } images/s cut and uploaded`,
      ...waiting === null ? [] : [
        `training would wait ${percent(waiting)} % of the time for them if nothing overlapped`,
      ],
    ]);
  }
  return parts.flatMap((lines, i) => i === 0 ? lines : ["", ...lines]);
}

/** What each step asks of the adapter and of its host. */
function cardTable(card: readonly CardFigures[]): string[] {
  return table(
    [
      ...["one step", "ms", "device ms", "host ms", "replayed", "queued"],
      ...["KiB up", "down", "MiB on it", "of peak %"],
    ],
    card.map(({ name, wall, device, host, replayed, queued, up, down, bytes, share }) => [
      name,
      wall.toPrecision(3),
      device?.toPrecision(3) ?? "-",
      host.toPrecision(3),
      replayed.toFixed(0),
      queued.toFixed(0),
      (up / 1024).toFixed(0),
      (down / 1024).toFixed(1),
      mebibytes(bytes),
      share === null ? "-" : percent(share),
    ]),
  );
}

/** `12 by registers 16x16, 8 lanes; 2 by ..`, most used first. */
function kernelCounts(products: Readonly<Record<string, string>>): string {
  const names = Object.values(products);
  const counts = [...new Set(names)].map((name): [string, number] => [
    name,
    names.filter((other) => other === name).length,
  ]);
  return counts.sort(([, a], [, b]) => b - a).map(([name, count]) => `${count} by ${name}`)
    .join("; ");
}

function kernelTable(kernels: readonly KernelFigures[]): string[] {
  const slower = kernels.filter((kernel) => kernel.slower);
  return table(
    ["kernel", "shape", "ms", "stock ms", "times faster", "rate", "", "of peak %", ""],
    kernels.map((kernel) => [
      kernel.name,
      kernel.shape,
      (1000 * kernel.ours.median).toPrecision(3),
      (1000 * kernel.stock.median).toPrecision(3),
      range(kernel.ratio),
      kernel.rate.toPrecision(3),
      kernel.unit,
      percent(kernel.share),
      kernel.slower ? "SLOWER" : "",
    ]),
    [
      slower.length === 0
        ? "no kernel is slower than the stock op that it replaces"
        : `slower than the stock op: ${slower.map(({ name }) => name).join(", ")}`,
    ],
  );
}

/** Names of PyTorch's steps for people. */
const PYTORCH_STEPS = {
  gradient: "training, forward and backward",
  training: "training with SGD",
  evaluation: "evaluation",
  meta: "meta, against double backward",
} as const;

/** The steps beside PyTorch's, for people. */
export function pytorchTable(report: PytorchReport): string[] {
  const { steps, loss, metaGradientNorm, pytorch } = report;
  const same = (name: string, { ours, pytorch }: BothValues) =>
    `${name} ${ours.toPrecision(7)} here, ${pytorch.toPrecision(7)} in PyTorch`;
  return table(
    ["step", "PyTorch in", "s", "PyTorch s", "times faster", "MiB", "PyTorch MiB"],
    steps.map((step) => [
      PYTORCH_STEPS[step.step],
      step.mode,
      ...timesOf(step),
      ...step.bytes ? [step.bytes.ours, step.bytes.pytorch].map(mebibytes) : ["-", "-"],
    ]),
    [
      same("loss", loss),
      same("norm of dA/dphi", metaGradientNorm),
      pytorch,
    ],
  );
}
