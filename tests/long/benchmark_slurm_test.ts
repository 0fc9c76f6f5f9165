import { assert, assertEquals } from "@std/assert";
import { join } from "@std/path";
import { resultsIn, timeless, TINY_GRID } from "../benchmark/tiny_grid.ts";
import { inTemporaryFolder } from "../data/temporary_folder.ts";
import { done } from "../e2e/run_task.ts";
import { needing } from "../machine.ts";
import { HAS_SLURM, saidIn, startCluster } from "./slurm_cluster.ts";

/** Waits for something that comes, or that nothing can bring any more. */
async function until(what: string, there: () => Promise<boolean> | boolean): Promise<void> {
  for (let turn = 0; !await there(); turn++) {
    assert(turn < 3000, `${what} does not come`);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

Deno.test({
  ...needing(
    "Slurm",
    HAS_SLURM,
    "benchmark-slurm ends with one process's results after a node's death, a full disk and a cancel",
  ),
  fn: () =>
    inTemporaryFolder(async (folder) => {
      const settings = join(folder, "grid.json");
      await Deno.writeTextFile(settings, JSON.stringify({ ...TINY_GRID, seeds: [0] }));
      const given = ["--settings", settings, "--device", "wasm"];
      const whole = join(folder, "whole");
      await done("benchmark", [...given, "--out", whole], folder);

      // A disk of its own, that can be filled.
      const disk = join(folder, "disk");
      await Deno.mkdir(disk);
      await saidIn({}, "mount", "-t", "tmpfs", "-o", "size=64m", "tmpfs", disk);
      await using cluster = await startCluster(join(folder, "slurm"));
      try {
        const out = join(disk, "grid");
        const slurm = (...args: string[]) =>
          done("benchmark-slurm", ["--out", out, ...args], folder);
        const queued = async () => (await saidIn(cluster.env, "squeue", "-h", "-o", "%A")).trim();
        const there = (pattern: RegExp, where: string) =>
          Array.fromAsync(Deno.readDir(join(out, where))).then(
            (entries) => entries.some(({ name }) => pattern.test(name)),
            () => false,
          );

        // The submitting process ends at once; a node dies in the midst of a training.
        await slurm(...given, "--detach", "--dead-after", "3", "--retries", "4");
        await until("a training", () => there(/^train-\w+\.\d+$/, "claims"));
        const node = await cluster.killNodeOf("lethe-2");
        await until("both models", () =>
          Array.fromAsync(Deno.readDir(join(out, "stages"))).then((stages) =>
            stages.filter(({ name }) => /^train-\w+$/.test(name)).length === 2
          ));
        assert(/down/.test(await saidIn(cluster.env, "sinfo", "-h", "-n", node)));

        // The disk fills; what fails is tried again when there is room.
        const filler = await Deno.open(join(disk, "filler"), { write: true, create: true });
        const block = new Uint8Array(2 ** 16);
        try {
          for (;;) {
            filler.writeSync(block);
          }
        } catch {
          filler.close();
        }
        const waiting = async () =>
          (await saidIn(cluster.env, "squeue", "-h", "-n", "lethe-3", "-o", "%F")).trim().split(
            "\n",
          )
            .length;
        const rounds = await waiting();
        await until("a round's failure", async () =>
          await waiting() < rounds);
        assertEquals(await there(/^meta-learn-\w+$/, "stages"), false, "the disk was full");
        await Deno.remove(join(disk, "filler"));
        await until("a kit", () => there(/^meta-learn-\w+$/, "stages"));

        // Cancelled, nothing waits or runs; the same command goes on.
        assert(/jobs cancelled/.test(await slurm("--cancel")));
        await until("an empty queue", async () => await queued() === "");
        const table = await slurm(...given, "--dead-after", "3");
        assert(/\nMetaUnlearn +\d+\.\d /.test(table), table);
        // What a first round has made, no later one tries again.
        const { jobs } = JSON.parse(await Deno.readTextFile(join(out, "slurm", "jobs.json")));
        const later = jobs.slice(jobs.length / 3).map(String);
        const logs = await Array.fromAsync(Deno.readDir(join(out, "slurm", "log")));
        const ran = logs.map(({ name }) => name.split(/[_.]/)[0]);
        assertEquals(ran.filter((id) => later.includes(id)), []);
        assert(/16 of 16 stages made/.test(await slurm("--status")));
        assertEquals(timeless(await resultsIn(out)), timeless(await resultsIn(whole)));
        const stages = async (grid: string) =>
          (await Array.fromAsync(Deno.readDir(join(grid, "stages")))).map(({ name }) => name)
            .filter((name) => !name.startsWith(".")).sort();
        assertEquals(await stages(out), await stages(whole));
      } finally {
        await saidIn(cluster.env, "scancel", "--me");
        await until("the disk to be free", () =>
          saidIn({}, "umount", disk).then(() =>
            true, () => false));
      }
    }),
});
