import { assertEquals } from "@std/assert";
import { HOUSEKEEPING } from "./all_tasks.ts";
import { taskLine, type TaskName } from "./run_task.ts";
import manifest from "../../deno.json" with { type: "json" };

/** What a task may have besides reading and writing, and why. */
const MORE: Readonly<Record<string, readonly string[]>> = {
  // They start the contained worker, through the shell that closes descriptors.
  unlearn: ["--allow-run=/bin/sh", "--no-code-cache"],
  audit: ["--allow-run=/bin/sh", "--no-code-cache"],
  // It submits jobs to Slurm, looks after them and ends them.
  "benchmark-slurm": ["--allow-run=sbatch,squeue,scancel"],
  // It runs the same step in Debian's PyTorch.
  "bench-pytorch": ["--allow-run=/usr/bin/python3"],
};

/** Each thread's heap collected early: what goes through many images takes 120 MiB less, and no longer. */
const SMALL_YOUNG = "--v8-flags=--max-semi-space-size=1,--heap-growing-percent=25";

Deno.test("deno.json's tasks read and write files, and have no other permission", () => {
  for (const name of Object.keys(manifest.tasks)) {
    if (HOUSEKEEPING.includes(name)) continue;
    const { flags: [subcommand, ...flags] } = taskLine(name as TaskName);
    assertEquals([subcommand, flags[0]], ["run", "--no-prompt"], name);
    const allowed = ["--no-prompt", "--allow-read", "--allow-write", SMALL_YOUNG]
      .concat(MORE[name] ?? []);
    assertEquals(flags.filter((flag) => !allowed.includes(flag)), [], name);
    // Deno runs what NODE_OPTIONS requires before the stub that no cache can change.
    const line = manifest.tasks[name as TaskName];
    const isProof = name === "unlearn" || name === "audit";
    assertEquals(line.startsWith("NODE_OPTIONS= deno run "), isProof, name);
  }
});
