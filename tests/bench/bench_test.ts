import { assert, assertAlmostEquals, assertEquals, assertGreater } from "@std/assert";
import { fromFileUrl } from "@std/path";
import { benchTables } from "../../cli/output/bench_tables.ts";
import { bench, BENCH_PARTS, type BenchReport } from "../../lib/bench/bench.ts";
import type { Comparison } from "../../lib/bench/compare.ts";
import { TRAINING_RECIPES } from "../../lib/model/recipes.ts";
import { onEachDevice } from "../tensor/on_each_device.ts";
import { SMALL_WORKLOAD } from "./small_workload.ts";

/** One pair of turns: its ratio is stock's time over ours, whatever the machine was doing meanwhile. */
function assertMeasured({ ours, stock, ratio, repetitions }: Comparison): void {
  assertEquals(repetitions, 1);
  assertAlmostEquals(ratio.median, stock.median / ours.median, 1e-9 * ratio.median);
  for (const { min, median, max } of [ours, stock, ratio]) {
    assertEquals([min, max], [median, median]);
  }
}

onEachDevice("bench reports every step and kernel, and leaves no tensor behind", async (device) => {
  const root = fromFileUrl(new URL("../../fixtures/requests", import.meta.url));
  const recipe = TRAINING_RECIPES.find(({ name }) => name === "photos-from-scratch")!;
  const report: BenchReport = await bench({
    device,
    settings: SMALL_WORKLOAD,
    parts: BENCH_PARTS,
    effort: { repetitions: 1, seconds: 0, turn: 0 },
    input: { root, files: ["21.png", "25.png"], recipe },
  });
  assertEquals(report.device, device.adapter);
  assertEquals(JSON.parse(JSON.stringify(report)), report);

  const { steps, naiveMeta, kernels, input } = report;
  assertEquals(steps!.map(({ name }) => name), ["training", "evaluation", "unlearning", "meta"]);
  steps!.forEach(assertMeasured);
  assertMeasured(naiveMeta!);
  // A training step holds theta, its gradient and what the backward pass needs.
  for (const { peakBytes, name } of steps!) {
    assertGreater(peakBytes.ours, 20_000, name);
    assertGreater(peakBytes.stock, 20_000, name);
  }

  assertEquals(report.card !== null, device.backend === "webgpu");
  for (const { name, queued, replayed, up, down } of report.card ?? []) {
    assertGreater(queued + replayed, 10, name);
    // Every step takes its images to the device, but for the two whose images are there, and reads.
    assert(name === "unlearning" || up > 1000, name);
    assertGreater(down, 0, name);
  }
  kernels!.forEach(assertMeasured);
  const names = kernels!.map(({ name }) => name);
  for (const name of ["matMul", "qkv forward", "fc2 dW", "attention and gradient", "AdamW"]) {
    assert(names.includes(name), name);
  }
  // Both come of the same time: neither can be there without the other.
  for (const { rate, share, shape } of kernels!) assertEquals(rate > 0, share > 0, shape);
  assertEquals(report.peak !== null, device.backend === "webgpu");
  assertEquals([input !== null, report.waiting !== null], [true, true]);

  const text = benchTables(report).join("\n");
  for (const title of ["training", "meta, against nested gradients", "matMul", "images/s"]) {
    assert(text.includes(title), title);
  }
});
