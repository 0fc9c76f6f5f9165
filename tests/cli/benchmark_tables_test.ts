import { assertEquals } from "@std/assert";
import {
  ablationTable,
  benchmarkTables,
  sequenceTables,
} from "../../cli/output/benchmark_tables.ts";
import type { BenchmarkResults } from "../../lib/benchmark/results.ts";
import { smallResults } from "../report/small_results.ts";

Deno.test("benchmarkTables prints a row per method, and at which FPR the attack was resolved", () => {
  assertEquals(benchmarkTables(smallResults()), [
    "faces, 2 to forget      retain      forget        test         ToW    RMIA TPR         AUC  verdict",
    "------------------  ----------  ----------  ----------  ----------  ----------  ----------  -------------------",
    "Pretrain            80.0 ± 0.0  90.0 ± 0.0  45.0 ± 0.0  60.0 ± 0.0  25.0 ± 0.0  70.0 ± 0.0  under-forgotten 2",
    "Retrain             80.0 ± 0.0  50.0 ± 0.0  45.0 ± 0.0           -           -           -",
    "MetaUnlearn         79.0 ± 0.0  75.0 ± 0.0  45.0 ± 0.0  75.0 ± 0.0  25.0 ± 0.0  60.0 ± 0.0  indistinguishable 2",
    "SSD                 78.0 ± 0.0  60.0 ± 0.0  45.0 ± 0.0  90.0 ± 0.0  25.0 ± 0.0  50.0 ± 0.0  indistinguishable 2",
    "0.01 % FPR is below what 8 non-members resolve: RMIA TPR is at the smallest FPR that they do, " +
    "12.50 %",
    "",
  ]);
});

/** The made-up results as if they were the paper's: its data set, its model, all its images. */
function papers(images: number): BenchmarkResults {
  const results = smallResults();
  const [data] = results.settings.data;
  const place = { data: "CelebA", forget: 5 };
  return {
    ...results,
    settings: {
      ...results.settings,
      data: [{ ...data, name: "CelebA", layout: "celeba", preset: "vit_base_patch16_224" }],
    },
    splits: results.splits.map((split) => ({
      ...split,
      ...place,
      images: { ...split.images, retain: images },
    })),
    summary: results.summary.map((row) => ({ ...row, ...place })),
  };
}

Deno.test("benchmarkTables puts the paper's figures below a row of its own data and model, and only there", () => {
  const rows = (images: number) =>
    benchmarkTables(papers(images)).filter((line) => /paper/.test(line));
  assertEquals(rows(200_000).map((line) => line.split(/ {2,}/).slice(2)), [
    ["84.4 ± 0.0", "81.8 ± 2.2", "80.9 ± 0.1", "97.2 ± 1.0", "13.25"],
    ["84.5 ± 0.0", "79.1 ± 3.2", "80.9 ± 0.1", "-", "-"],
    ["84.4 ± 0.0", "81.9 ± 2.2", "80.9 ± 0.1", "97.2 ± 1.0", "9.64"],
    ["23.1 ± 0.2", "30.9 ± 2.0", "23.1 ± 0.1", "8.4 ± 0.9", "13.25"],
  ]);
  assertEquals(rows(4_000), []);
});

Deno.test("ablationTable has a row per variant and a column per data set and number of people", () => {
  assertEquals(ablationTable(smallResults()), [
    "Tug-of-War                  faces/2",
    "-----------------------  ----------",
    "Pretrain (does nothing)  60.0 ± 0.0",
    "MetaUnlearn              75.0 ± 0.0",
    "SSD                      90.0 ± 0.0",
  ]);
});

Deno.test("sequenceTables prints the means after each request beside all of them at once", () => {
  const step = (people: number, forget: number, waiting: number | null) => ({
    people,
    metrics: { retain: 0.8, forget, test: 0.4 },
    waiting,
    retrained: { retain: 0.8, forget: 0.5, test: 0.4 },
    tugOfWar: 1 - forget + 0.5,
  });
  const sequences = [0, 1].map((seed) => ({
    data: "faces",
    forget: 2,
    seed,
    method: "MetaUnlearn",
    steps: [step(1, 0.7 + 0.1 * seed, 0.9), step(2, 0.6, null)],
  }));
  assertEquals(sequenceTables({ ...smallResults(), sequences }), [
    "MetaUnlearn, faces: forgotten so far      retain      forget        test     waiting         ToW",
    "------------------------------------  ----------  ----------  ----------  ----------  ----------",
    "1                                     80.0 ± 0.0  75.0 ± 7.1  40.0 ± 0.0  90.0 ± 0.0  75.0 ± 7.1",
    "2                                     80.0 ± 0.0  60.0 ± 0.0  40.0 ± 0.0           -  90.0 ± 0.0",
    "all 2 in one request: ToW 75.0 ± 0.0",
    "",
  ]);
});
