import { assert, assertEquals, assertThrows } from "@std/assert";
import { mergeResults } from "../../lib/benchmark/merge_results.ts";
import type { BenchmarkResults } from "../../lib/benchmark/results.ts";
import { LetheError } from "../../lib/error.ts";
import { reportPage } from "../../lib/report/report_page.ts";
import { smallResults } from "../report/small_results.ts";

/** The part of the small results that a machine made: a seed. */
function part(seed: number, device: string): BenchmarkResults {
  const { cells, splits, settings, ...rest } = smallResults();
  const own = cells.filter((cell) => cell.seed === seed);
  return {
    ...rest,
    device,
    settings: { ...settings, seeds: [seed] },
    planned: own.length,
    splits: splits.filter((split) => split.seed === seed),
    cells: own,
  };
}
const merge = (...parts: BenchmarkResults[]) =>
  mergeResults(parts.map((results, i) => ({ file: `${i}.json`, results })));

Deno.test("mergeResults makes one grid of two machines' seeds, and each cell names its adapter", () => {
  const whole = smallResults();
  const merged = merge(part(0, "a card"), part(1, "a CPU"));
  assertEquals(merged.summary, whole.summary);
  assertEquals(merged.analyses, whole.analyses);
  assertEquals([merged.planned, merged.settings.seeds], [whole.cells.length, [0, 1]]);
  for (const { seed, adapters } of merged.cells) {
    assertEquals(adapters, [seed === 0 ? "a card" : "a CPU"]);
  }
  const page = reportPage(merged, () => undefined);
  assert(/<td>0<\/td>\s*<td>a card<\/td>/.test(page), "the report's table");
  assert(/<td>1<\/td>\s*<td>a CPU<\/td>/.test(page));
});

Deno.test("mergeResults counts a cell once that two machines have made", () => {
  const merged = merge(part(0, "a card"), smallResults());
  assertEquals(merged.cells.length, smallResults().cells.length);
  assertEquals(merged.cells.find(({ seed }) => seed === 0)!.adapters, ["a card"]);
});

Deno.test("mergeResults refuses another grid, and other people under one name", () => {
  const other = { ...part(1, "x"), settings: { ...part(1, "x").settings, name: "another" } };
  assertThrows(() => merge(part(0, "x"), other), LetheError, "1.json is of another grid");
  const strangers = smallResults("small", "q");
  assertThrows(() => merge(part(0, "x"), strangers), LetheError, "other people");
});

Deno.test("reportPage says in a line where everything was computed on one adapter", () => {
  const page = reportPage(smallResults(), () => undefined);
  assert(/Every cell was computed on an adapter\./.test(page));
});
