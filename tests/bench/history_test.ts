import { assert, assertEquals, assertRejects } from "@std/assert";
import { join } from "@std/path";
import { appendHistory, type BenchRun, commitOf } from "../../lib/bench/history.ts";
import { LetheError } from "../../lib/error.ts";
import { benchHistoryFigure } from "../../lib/report/bench_history_figure.ts";
import { inTemporaryFolder, writeFiles } from "../data/temporary_folder.ts";

const run = (training: number, commit: string | null = null): BenchRun => ({
  date: "2026-11-26T12:00:00.000Z",
  commit,
  device: "WASM",
  ratios: { training, evaluation: 2 * training },
});

Deno.test("appendHistory keeps every run, oldest first, and refuses what is no history", () =>
  inTemporaryFolder(async (folder) => {
    const file = join(folder, "bench.json");
    assertEquals(await appendHistory(file, run(2)), [run(2)]);
    assertEquals(await appendHistory(file, run(3, "a".repeat(40))), [
      run(2),
      run(3, "a".repeat(40)),
    ]);
    for (const wrong of ["{}", "[1]", "no json", `[${JSON.stringify({ ...run(1), more: 1 })}]`]) {
      await Deno.writeTextFile(file, wrong);
      await assertRejects(() => appendHistory(file, run(1)), LetheError, "bench.json");
      assertEquals(await Deno.readTextFile(file), wrong);
    }
  }));

Deno.test("commitOf reads a branch, a packed branch and a bare commit, and knows no other", () =>
  inTemporaryFolder(async (folder) => {
    const [a, b] = ["a".repeat(40), "b".repeat(40)];
    assertEquals(await commitOf(folder), null);
    await writeFiles(folder, {
      ".git/HEAD": "ref: refs/heads/main\n",
      ".git/packed-refs": `${b} refs/heads/main\n`,
    });
    assertEquals(await commitOf(folder), b);
    await writeFiles(folder, { ".git/refs/heads/main": `${a}\n` });
    assertEquals(await commitOf(folder), a);
    await writeFiles(folder, { ".git/HEAD": `${b}\n` });
    assertEquals(await commitOf(folder), b);
    await writeFiles(folder, { ".git/HEAD": "ref: ../../etc/passwd\n" });
    assertEquals(await commitOf(folder), null);
  }));

Deno.test("benchHistoryFigure draws a line per step and says what it shows", () => {
  const svg = benchHistoryFigure([run(2), run(4, "c".repeat(40)), run(8)]);
  assertEquals(svg.match(/<polyline/g)?.length, 2);
  for (const text of ["training", "evaluation", "ccccccc", 'xmlns="http://www.w3.org/2000/svg"']) {
    assert(svg.includes(text), text);
  }
  assert(!svg.includes("NaN"));
});
