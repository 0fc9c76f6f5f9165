import { assert, assertAlmostEquals, assertEquals, assertRejects, equal } from "@std/assert";
import { join } from "@std/path";
import type { ChosenSettings } from "../../lib/run/choose_settings.ts";
import type { BenchmarkResults, CellResult } from "../../lib/benchmark/results.ts";
import { runGrid } from "../../lib/benchmark/run_grid.ts";
import { writePortraits } from "../../lib/data/portraits/write_portraits.ts";
import { LetheError } from "../../lib/error.ts";
import { tugOfWar } from "../../lib/measure/eq7_tug_of_war.ts";
import { inTemporaryFolder } from "../data/temporary_folder.ts";
import { runTask } from "../e2e/run_task.ts";
import { benchmarkArguments, resultsIn, TINY_GRID } from "./tiny_grid.ts";

Deno.test("benchmark runs a grid to a table and its results, and tells once of a cache that takes nothing", () =>
  inTemporaryFolder(async (folder) => {
    const whole = join(folder, "whole");
    // Files where its folders would be.
    const cache = join(folder, "cache");
    await Deno.mkdir(cache);
    for (let i = 0; i < 256; i++) {
      await Deno.writeTextFile(join(cache, i.toString(16).padStart(2, "0")), "");
    }
    const { code, out, err } = await runTask(
      "benchmark",
      [...await benchmarkArguments(folder, whole), "--cache", cache, "--workers", "2"],
      folder,
    );
    assertEquals(code, 0, err);
    assert(/\nMetaUnlearn +\d+\.\d ± /.test(out), out);
    const told = err.split("\n").filter((line) => line.includes("keeps no more images"));
    assertEquals(told.length, 1, err);
    assert(told[0].startsWith(`${cache} keeps no more images (`), told[0]);
    checkResults(await resultsIn(whole));
    await checkChoices(whole);
  }));

/** What must hold of any results, whatever the numbers. */
function checkResults({ cells, splits, summary, analyses, planned, sequences }: BenchmarkResults) {
  assertEquals([cells.length, planned, splits.length], [6, 6, 2]);
  for (const cell of cells) {
    const split = splits.find(({ seed }) => seed === cell.seed)!;
    assertAlmostEquals(cell.tugOfWar, tugOfWar(cell.metrics, split.retrained), 1e-12);
    assertEquals(cell.membership.scores.members.length, split.images.forget);
    assertEquals(cell.membership.scores.nonMembers.length, split.images.test);
    assertEquals(cell.forgotten.length, split.forgotten.length);
    assertEquals(cell.forgotten.map(({ images }) => images), [3, 3], "one of four is the support");
    assertEquals(cell.retained.length, split.retained.length);
  }
  const of = (method: string) => cells.filter((cell) => cell.method === method);
  for (const [pretrain, split] of of("Pretrain").map((cell, i) => [cell, splits[i]] as const)) {
    // A method that does nothing leaves every person as they were.
    const metrics = (people: readonly { metric: number }[]) => people.map(({ metric }) => metric);
    assertEquals(metrics(pretrain.retained), metrics(split.retained.map((p) => p.original)));
    assertEquals(metrics(pretrain.forgotten), metrics(split.forgotten.map((p) => p.original)));
    assertEquals(pretrain.seconds, null);
  }
  for (const { settings } of of("SSD")) {
    assert(settings!.selection > 0);
  }
  const mean = (own: CellResult[], f: (cell: CellResult) => number) =>
    own.reduce((sum, cell) => sum + f(cell), 0) / own.length;
  const row = summary.find(({ method }) => method === "MetaUnlearn")!;
  assertAlmostEquals(
    row.tugOfWar!.mean,
    mean(of("MetaUnlearn"), (cell) => cell.tugOfWar),
    1e-12,
  );
  assertEquals(summary.map(({ method }) => method), ["Pretrain", "Retrain", "MetaUnlearn", "SSD"]);
  for (const { seed, steps } of sequences) {
    const split = splits.find((split) => split.seed === seed)!;
    assertEquals(steps.map(({ people }) => people), [1, 2]);
    assert(steps[0].waiting! > 0 && steps[1].waiting === null);
    // With all of them gone, the oracle is measured on the whole forget set.
    assertEquals(steps[1].retrained, split.retrained);
    assertAlmostEquals(steps[1].tugOfWar, tugOfWar(steps[1].metrics, split.retrained), 1e-12);
  }
  assertEquals(sequences.map(({ method }) => method), ["MetaUnlearn", "MetaUnlearn"]);
  const [analysis] = analyses;
  assertEquals(analysis.methods.toSorted(), ["MetaUnlearn", "SSD"]);
  assertEquals(analysis.hardness.reduce((sum, { people }) => sum + people, 0), 4);
  const distances = analysis.hardest.map(({ supportDistance }) => supportDistance);
  assertEquals(distances, distances.toSorted((a, b) => b - a));
}

/** Of the candidates, and of those beyond their edge, the one that simulated requests favour is taken. */
async function checkChoices(out: string) {
  const stages = await Array.fromAsync(Deno.readDir(join(out, "stages")));
  const choices = stages.filter(({ name }) => name.startsWith("choose-"));
  assertEquals(choices.length, 2);
  for (const { name } of choices) {
    const text = await Deno.readTextFile(join(out, "stages", name, "result.json"));
    const { chosen, trials } = JSON.parse(text) as ChosenSettings;
    assert(trials.length > 2, "the better of two is always at the edge");
    const best = Math.max(...trials.map(({ estimate }) => estimate!.tugOfWar));
    assertEquals(trials.find(({ settings }) => equal(settings, chosen))!.estimate!.tugOfWar, best);
    const [strong, idle] = trials.map(({ estimate }) => estimate!);
    assert(strong.forget !== idle.forget, "a selection that spares every weight does nothing");
  }
}

Deno.test("runGrid goes on past a stage that fails, and says which", () =>
  inTemporaryFolder(async (folder) => {
    const [data] = TINY_GRID.data;
    const { failures, results } = await runGrid({
      // The split of 14 people fails: so many are not in training.
      settings: { ...TINY_GRID, seeds: [0], data: [{ ...data, forget: [14, 2] }] },
      device: { backend: "wasm", adapter: "test" },
      out: folder,
      workers: 2,
    });
    assertEquals(failures.map(({ stage }) => stage), ["split portraits/14 seed 0"]);
    assert(failures[0].message.includes("14 people to forget"));
    assertEquals(results.cells.map(({ forget }) => forget), [2, 2, 2]);
    assertEquals(results.planned, 6);
  }));

Deno.test("runGrid measures classes, and one person who asks, on a folder of any images", () =>
  inTemporaryFolder(async (folder) => {
    const drawn = join(folder, "drawn");
    await writePortraits(drawn, { identities: 14, imagesPerIdentity: 6, side: 16, seed: 0 });
    const images = [...Deno.readDirSync(join(drawn, "img_align_celeba"))].map(({ name }) => name);
    const rows = images.sort().map((name, i) =>
      `img_align_celeba/${name},thing ${Math.floor(i / 6)},${["cup", "tin", "box"][i % 3]}`
    );
    await Deno.writeTextFile(
      join(drawn, "things.csv"),
      ["file,identity,class", ...rows].join("\n"),
    );
    const { portraits: _, ...data } = TINY_GRID.data[0];
    const { results, failures } = await runGrid({
      settings: {
        ...TINY_GRID,
        seeds: [0],
        data: [{ ...data, layout: "folder", root: drawn, forget: [1] }],
      },
      device: { backend: "wasm", adapter: "test" },
      out: join(folder, "grid"),
      workers: 2,
    });
    assertEquals(failures, []);
    const [pretrain, unlearned, dampened] = results.cells;
    // Five images of one thing: accuracies are fifths.
    for (const { metrics, forgotten } of [pretrain, unlearned, dampened]) {
      assertAlmostEquals(metrics.forget * 5, Math.round(metrics.forget * 5), 1e-12);
      assertEquals([forgotten.length, forgotten[0].images], [1, 5]);
      assertAlmostEquals(forgotten[0].metric, metrics.forget, 1e-12);
    }
    assertEquals(results.splits[0].forgotten[0].identity.startsWith("thing "), true);
    assertEquals(results.sequences, [], "one person makes no stream");
  }));

Deno.test("runGrid refuses a folder in which another process works", () =>
  inTemporaryFolder(async (folder) => {
    const file = await Deno.open(join(folder, "lock"), { write: true, create: true });
    await file.lock(true);
    const device = { backend: "wasm", adapter: "test" } as const;
    await assertRejects(
      () => runGrid({ settings: TINY_GRID, device, out: folder, workers: 1 }),
      LetheError,
      "another benchmark works in",
    );
    file.close();
  }));
