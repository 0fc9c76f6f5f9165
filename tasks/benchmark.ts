import { resolve } from "@std/path";
import { ablationTable, benchmarkTables, sequenceTables } from "../cli/output/benchmark_tables.ts";
import { command, main } from "../cli/command/command.ts";
import { checkInput } from "../cli/command/inputs.ts";
import { ablated, GRID_OPTIONS, gridOf, planOf } from "../cli/options/grid_options.ts";
import { printResult } from "../cli/output/print_result.ts";
import { progress } from "../cli/output/progress.ts";
import { JSON_PROGRESS, JSON_RESULT, openAndAnnounce } from "../cli/options/shared_options.ts";
import type { Terminal } from "../cli/output/terminal.ts";
import {
  planPathIn,
  readPlan,
  readPlanOf,
  refuseOverOther,
  writePlan,
} from "../lib/benchmark/cluster/plan_file.ts";
import type { BenchmarkResults } from "../lib/benchmark/results.ts";
import { stagesFolder } from "../lib/benchmark/plan.ts";
import { LetheError, UsageError } from "../lib/error.ts";
import { lastStep } from "../lib/files/finish_before_exit.ts";
import { whileMaking } from "../lib/files/kept_when_interrupted.ts";

/** Stages that a line names. */
const SHOWN = 5;

/** `deno task benchmark`: Tables 1 to 7. */
export const benchmark = command({
  name: "benchmark",
  summary:
    "a grid of data set x people to forget x method x seed; a stopped one goes on where it was",
  options: {
    ...GRID_OPTIONS,
    workers: { kind: "integer", min: 1, max: 64, default: 2, help: "stages at a time" },
    plan: {
      kind: "path",
      value: "FILE",
      help:
        "write the grid's stages, for many machines (lib/benchmark/cluster/README.md), and run none; " +
        "with --stage or --collect the plan to read, jobs.json in --out unless it is given",
    },
    stage: { kind: "text", value: "HASH", help: "make this stage of a plan alone" },
    collect: { kind: "flag", help: "gather what a plan's stages have left into results.json" },
    deadAfter: {
      kind: "number",
      min: 1,
      default: 90,
      help: "seconds without a sign of life after which another machine's stage is taken over",
    },
    json: JSON_RESULT,
    jsonProgress: JSON_PROGRESS,
  },
  examples: [
    "deno task benchmark --preset small --device wasm",
    "deno task benchmark --preset celeba-small --data ./celeba --ablation inputs --out grid",
    "deno task benchmark --settings grid.json --data ./celeba --out grid",
    "deno task benchmark --preset small --out grid --plan jobs.json",
    "deno task benchmark --plan jobs.json --stage split-0f4c3b2a19d8e7f60123",
    "deno task benchmark --plan jobs.json --collect",
  ],
  async run({ workers, json, jsonProgress, ...options }, terminal) {
    if (options.stage !== undefined && options.collect) {
      throw new UsageError(
        "--stage and --collect are both given",
        "one makes a stage, the other gathers what was made",
        "give one of them",
      );
    }
    const onProgress = progress(terminal, jsonProgress);
    const onNotice = (line: string) => terminal.note(line);
    const [{ collectPlan, runClaimed, shareFolder }, { resultsPath, runGrid }] = await Promise.all([
      import("../lib/benchmark/cluster/run_claimed.ts"),
      import("../lib/benchmark/run_grid.ts"),
    ]);
    if (options.stage !== undefined) {
      const { planPath, read } = await planToCarryOut(options);
      using _shared = await shareFolder(read.file.out);
      using _told = whileMaking(null, [stagesFolder(read.file.out)]);
      const device = await openAndAnnounce(read.file.device, terminal);
      let told = "";
      const made = await runClaimed({
        ...{ read, planPath, hash: options.stage, device, onProgress, onNotice },
        times: { deadAfter: options.deadAfter, beat: Math.min(5, options.deadAfter / 4) },
        onWait(owner) {
          if (owner !== told) terminal.note(`lethe: ${owner} makes it; waiting`);
          told = owner;
        },
      });
      terminal.print(`${options.stage}: ${made ? "made" : "was there"}`);
      return;
    }
    if (options.collect) {
      const { read } = await planToCarryOut(options);
      const { results, missing } = await collectPlan(read);
      const path = resultsPath(read.file.out, read.settings);
      await printTables(terminal, json, results, path, missing.length === 0);
      if (missing.length === 0) return 0;
      const more = missing.length - SHOWN;
      terminal.note(
        `lethe: ${missing.length} of ${read.plan.stages.length} stages have not been made: ` +
          missing.slice(0, SHOWN).join(", ") + (more > 0 ? ` and ${more} more` : ""),
      );
      return 1;
    }
    if (options.plan !== undefined) {
      await refuseOverOther(options.plan, null); // before anything is read for it
      const plan = await planOf(options, terminal);
      await refuseOverOther(options.plan, plan);
      await lastStep(async () => {
        for (const path of new Set([resolve(options.plan!), planPathIn(plan.out)])) {
          await writePlan(path, plan);
        }
      });
      const layers = Math.max(...plan.stages.map(({ layer }) => layer)) + 1;
      terminal.print(`${options.plan}: ${plan.stages.length} stages in ${layers} layers`);
      return;
    }
    const settings = ablated(await gridOf(options), options.ablation ?? null);
    using _told = whileMaking(null, [stagesFolder(options.out)]);
    const device = await openAndAnnounce(options.device, terminal);
    const out = resolve(options.out);
    const { results, failures } = await runGrid({
      settings,
      device,
      out,
      workers,
      ...(options.cache === undefined ? {} : { cache: resolve(options.cache) }),
      onProgress,
      onNotice,
    });
    for (const { stage, message } of failures) terminal.note(`lethe: ${stage}: ${message}`);
    if (results.cells.length === 0 && failures.length > 0) {
      throw new LetheError(
        `none of the grid's ${results.planned} cells ran`,
        "a cell needs every stage before it, and some failed",
        "mend what the lines above say and give the same command again",
      );
    }
    await printTables(terminal, json, results, resultsPath(options.out, settings));
    return failures.length === 0 ? 0 : 1;
  },
});

/** Prints a grid's tables, or the results as JSON. */
/** The plan that is named, or the grid folder's. */
async function planToCarryOut({ plan, out }: { plan?: string | undefined; out: string }) {
  const planPath = plan ?? planPathIn(out);
  await checkInput("--plan", planPath, "plan");
  return { planPath, read: plan === undefined ? await readPlanOf(out) : await readPlan(plan) };
}

async function printTables(
  terminal: Terminal,
  json: string | undefined,
  results: BenchmarkResults,
  path: string,
  complete = true,
): Promise<void> {
  const { settings: { ablation, note } } = results;
  await printResult(terminal, json, results, [
    ...ablation === undefined ? benchmarkTables(results) : [...ablationTable(results), ""],
    ...sequenceTables(results),
    ...note === undefined ? [] : [note],
    `${complete ? "all of it" : "what there is of it"}: ${path}`,
  ]);
}

if (import.meta.main) await main(benchmark);
