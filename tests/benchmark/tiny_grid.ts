import { join } from "@std/path";
import type { BenchmarkResults } from "../../lib/benchmark/results.ts";
import { resultsPath } from "../../lib/benchmark/run_grid.ts";
import type { GridSettings } from "../../lib/benchmark/settings.ts";

/** A grid of a few seconds on WASM: two splits of the same drawn people, two methods, a stream of requests. */
export const TINY_GRID: GridSettings = {
  version: 1,
  name: "tiny",
  seeds: [0, 1],
  data: [{
    name: "portraits",
    layout: "portraits",
    portraits: { identities: 16, imagesPerIdentity: 4, side: 16 },
    forget: [2],
    preset: "vit_demo_patch8_32",
    recipe: "portraits",
    training: { epochs: 2 },
    metaLearning: { hidden: 16, embeddingSize: 8, epochs: 2 },
    requestSizeForOne: 4,
  }],
  methods: [
    { name: "MetaUnlearn", method: "metaunlearn" },
    {
      name: "SSD",
      method: "ssd",
      candidates: [{ selection: 2, dampening: 1 }, { selection: 1e6 }],
    },
  ],
  measure: { rmia: { a: 0.3, gamma: 1 }, draws: 50 },
  sequence: { requests: 2 },
};

/** `deno task benchmark` on the tiny grid, in a folder. */
export async function benchmarkArguments(folder: string, out: string): Promise<string[]> {
  const settings = join(folder, "grid.json");
  await Deno.writeTextFile(settings, JSON.stringify(TINY_GRID));
  return ["--settings", settings, "--out", out, "--device", "wasm"];
}

/** What a run of it left. */
export async function resultsIn(out: string): Promise<BenchmarkResults> {
  return JSON.parse(await Deno.readTextFile(resultsPath(out, TINY_GRID)));
}

/** Results without what a clock has measured. */
export function timeless(results: BenchmarkResults) {
  return { ...results, cells: results.cells.map(({ seconds: _, ...cell }) => cell) };
}
