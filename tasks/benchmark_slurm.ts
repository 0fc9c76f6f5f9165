import { dirname, fromFileUrl, join } from "@std/path";
import { benchmarkTables, sequenceTables } from "../cli/output/benchmark_tables.ts";
import { command, main } from "../cli/command/command.ts";
import { GRID_OPTIONS, planOf } from "../cli/options/grid_options.ts";
import { progress } from "../cli/output/progress.ts";
import { JSON_PROGRESS } from "../cli/options/shared_options.ts";
import type { Terminal } from "../cli/output/terminal.ts";
import { claimants } from "../lib/benchmark/cluster/claim.ts";
import { followGrid, stagesMade } from "../lib/benchmark/cluster/follow_slurm.ts";
import {
  hashOf,
  planPathIn,
  type ReadPlan,
  readPlanOf,
  writePlan,
} from "../lib/benchmark/cluster/plan_file.ts";
import { collectPlan } from "../lib/benchmark/cluster/run_claimed.ts";
import { scancel, squeue } from "../lib/benchmark/cluster/slurm_commands.ts";
import { readSubmitted, sbatchOptions, submitGrid } from "../lib/benchmark/cluster/slurm_grid.ts";
import { claimsFolder } from "../lib/benchmark/plan.ts";
import { resultsPath } from "../lib/benchmark/run_grid.ts";
import { LetheError, UsageError } from "../lib/error.ts";

/** `deno task benchmark-slurm`: a grid on a cluster. */
export const benchmarkSlurm = command({
  name: "benchmark-slurm",
  summary:
    "a benchmark's grid as jobs of Slurm, which go on when this ends; the same command follows them",
  options: {
    ...GRID_OPTIONS,
    sbatch: {
      kind: "text",
      default: "",
      value: "OPTIONS",
      dashes: true,
      help: "options of every job, such as --partition=gpu --gres=gpu:1 --time=04:00:00",
    },
    retries: {
      kind: "integer",
      min: 0,
      max: 20,
      default: 2,
      help: "how often what failed is submitted again",
    },
    deadAfter: {
      kind: "number",
      min: 1,
      default: 90,
      help: "seconds without a sign of life after which another machine's stage is taken over",
    },
    status: { kind: "flag", help: "say how far it is, and submit nothing" },
    cancel: { kind: "flag", help: "end its jobs; what is made stays, the same command goes on" },
    detach: { kind: "flag", help: "submit and end, without following" },
    jsonProgress: JSON_PROGRESS,
  },
  examples: [
    "deno task benchmark-slurm --preset small --out grid --sbatch --partition=gpu",
    "deno task benchmark-slurm --out grid --status",
    "deno task benchmark-slurm --out grid --cancel",
  ],
  async run(options, terminal) {
    if (options.status && options.cancel) {
      throw new UsageError(
        "--status and --cancel are both given",
        "one looks, the other ends the jobs",
        "give one of them",
      );
    }
    const planPath = planPathIn(options.out);
    const isNew = options.preset !== undefined || options.settings !== undefined;
    if ((options.status || options.cancel || !isNew) && !await exists(planPath)) {
      throw new UsageError(
        `${planPath} does not exist`,
        "--out names a grid that was submitted, unless --preset or --settings names a new one",
        "check --out, or name the grid to submit",
      );
    }
    if (options.status || options.cancel) {
      const read = await readPlanOf(options.out);
      const ids = await idsOf(read);
      if (options.cancel) {
        await scancel([...ids]);
        terminal.print(`${options.out}: ${ids.size} jobs cancelled`);
        return;
      }
      return await printStatus(read, ids, terminal);
    }
    const there = isNew ? undefined : await readPlanOf(options.out);
    if (!there) await writePlan(planPath, await planOf(options, terminal));
    const read = there ?? await readPlanOf(options.out);
    let ids = await idsOf(read);
    if ((await squeue(ids)).length === 0 && (await stagesMade(read)).missing.length > 0) {
      const { jobs } = await submitGrid(read, exists, {
        plan: planPathIn(read.file.out),
        options: sbatchOptions(options.sbatch),
        retries: options.retries,
        deadAfter: options.deadAfter,
        deno: Deno.execPath(),
        repository: join(dirname(fromFileUrl(import.meta.url)), ".."),
      });
      ids = new Set(jobs.map(String));
      terminal.note(`lethe: ${jobs.length} jobs submitted; they go on when this ends`);
    }
    if (options.detach) return;
    await followGrid(read, ids, progress(terminal, options.jsonProgress));
    const { results, missing } = await collectPlan(read);
    for (const line of [...benchmarkTables(results), ...sequenceTables(results)]) {
      terminal.print(line);
    }
    terminal.print(`all of it: ${resultsPath(read.file.out, read.settings)}`);
    if (missing.length === 0) return;
    throw new LetheError(
      `${missing.length} stages have not been made, ${missing[0]} first`,
      `jobs that failed were tried ${options.retries + 1} times, or they were cancelled`,
      `what they said lies in ${join(options.out, "slurm", "log")}; the same command goes on`,
    );
  },
});

/** Ids of what was submitted of a grid. */
async function idsOf({ file }: ReadPlan): Promise<Set<string>> {
  return new Set((await readSubmitted(file.out))?.jobs.map(String));
}

async function printStatus(
  read: ReadPlan,
  ids: ReadonlySet<string>,
  terminal: Terminal,
): Promise<number> {
  const { made, missing } = await stagesMade(read);
  const states = Map.groupBy(await squeue(ids), ({ state }) => state);
  const jobs = [...states].map(([state, jobs]) => `${jobs.length} ${state.toLowerCase()}`);
  terminal.print(`${made.length} of ${made.length + missing.length} stages made`);
  terminal.print(`jobs: ${jobs.join(", ") || "none waits or runs"}`);
  const owners = claimants(claimsFolder(read.file.out));
  for (const stage of missing) {
    const owner = owners.get(hashOf(stage));
    if (owner !== undefined) terminal.print(`${stage.title}: ${owner}`);
  }
  return missing.length === 0 || jobs.length > 0 ? 0 : 1;
}

async function exists(path: string): Promise<boolean> {
  return await Deno.lstat(path).then(() => true, () => false);
}

if (import.meta.main) await main(benchmarkSlurm);
