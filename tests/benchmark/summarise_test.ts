import { assertAlmostEquals, assertEquals } from "@std/assert";
import { analyse } from "../../lib/benchmark/analyse.ts";
import { meanAndDeviation, summarise } from "../../lib/benchmark/summarise.ts";
import { smallResults } from "../report/small_results.ts";

const { splits, cells } = smallResults();

Deno.test("meanAndDeviation takes the sample deviation, which one value does not have", () => {
  assertEquals(meanAndDeviation([2, 4, 9]), { mean: 5, deviation: Math.sqrt((9 + 1 + 16) / 2) });
  assertEquals(meanAndDeviation([3]), { mean: 3, deviation: null });
});

Deno.test("summarise gives a row per method over the seeds, the retrained model second", () => {
  const rows = summarise(splits, cells);
  assertEquals(rows.map(({ method, seeds }) => [method, seeds]), [
    ["Pretrain", 2],
    ["Retrain", 2],
    ["MetaUnlearn", 2],
    ["SSD", 2],
  ]);
  const [, oracle, unlearned] = rows;
  assertEquals([oracle.forgetMetric.mean, oracle.tugOfWar, oracle.auc], [0.5, null, null]);
  const own = cells.filter(({ method }) => method === "MetaUnlearn");
  const [a, b] = own.map(({ tugOfWar }) => tugOfWar);
  assertAlmostEquals(unlearned.tugOfWar!.mean, (a + b) / 2, 1e-15);
  assertAlmostEquals(unlearned.tugOfWar!.deviation!, Math.abs(a - b) / Math.SQRT2, 1e-15);
  assertEquals(unlearned.verdicts, { indistinguishable: 2 });
});

Deno.test("summarise keeps data sets and numbers of people apart, and counts the seeds there are", () => {
  const other = cells.slice(0, 1).map((cell) => ({ ...cell, forget: 9 }));
  const rows = summarise(splits, [...cells, ...other]);
  const [last] = rows.slice(-1);
  assertEquals([last.forget, last.method, last.seeds, last.retain.deviation], [
    9,
    "Pretrain",
    1,
    null,
  ]);
});

Deno.test("analyse takes the best methods' mean of each person, and the people farthest off", () => {
  const [analysis, ...others] = analyse(splits, cells);
  assertEquals(others, []);
  assertEquals(analysis.methods.toSorted(), ["MetaUnlearn", "SSD"]);
  // Two people in each of two seeds: four bins of one person, nearest first.
  assertEquals(analysis.hardness.map(({ from, people }) => [from, people]), [
    [1, 1],
    [1.5, 1],
    [2, 1],
    [2.5, 1],
  ]);
  const methods = cells.filter(({ method, seed }) => method !== "Pretrain" && seed === 0);
  const [split] = splits;
  const mean = methods.reduce((sum, { forgotten }) => sum + forgotten[0].metric, 0) / 2;
  assertAlmostEquals(
    analysis.hardness[0].mean,
    mean - split.forgotten[0].retrained.metric,
    1e-12,
  );
  const kept = methods.reduce((sum, { retained }) => sum + retained[0].metric, 0) / 2;
  const nearest = analysis.retainDrop[0];
  assertEquals([nearest.from, nearest.people], [2, 1]);
  assertAlmostEquals(nearest.mean, split.retained[0].original.metric - kept, 1e-12);
  assertEquals(analysis.hardest.map(({ supportDistance }) => supportDistance), [2.5, 2, 1.5, 1]);
  assertEquals(analyse(splits, cells.filter(({ method }) => method === "Pretrain")), []);
});
