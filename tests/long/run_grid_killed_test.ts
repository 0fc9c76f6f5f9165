import { assertEquals } from "@std/assert";
import { join } from "@std/path";
import { benchmarkArguments, resultsIn, timeless } from "../benchmark/tiny_grid.ts";
import { inTemporaryFolder } from "../data/temporary_folder.ts";
import { done, killOnce } from "../e2e/run_task.ts";

Deno.test("benchmark killed again and again goes on to the results of a run that was not", () =>
  inTemporaryFolder(async (folder) => {
    const whole = join(folder, "whole");
    await done("benchmark", await benchmarkArguments(folder, whole), folder);
    const stages = async (out: string) =>
      (await Array.fromAsync(Deno.readDir(join(out, "stages")))).map(({ name }) => name)
        .filter((name) => /^[a-z]/.test(name)).sort();

    const stopped = join(folder, "stopped");
    const args = await benchmarkArguments(folder, stopped);
    // Killed once each time so many stages are there: while drawing, training, meta-learning, measuring.
    for (const count of [1, 4, 10, 18]) {
      await killOnce(
        "benchmark",
        args,
        folder,
        async () => (await stages(stopped).catch(() => [])).length >= count,
      );
    }
    await done("benchmark", args, folder);
    assertEquals(timeless(await resultsIn(stopped)), timeless(await resultsIn(whole)));
    assertEquals(await stages(stopped), await stages(whole));
    const leftovers = [...Deno.readDirSync(join(stopped, "stages"))].map(({ name }) => name)
      .filter((name) => name.startsWith("."));
    assertEquals(leftovers, []);
  }));
