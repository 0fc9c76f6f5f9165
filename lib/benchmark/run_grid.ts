import { basename, join } from "@std/path";
import { holdFile } from "../files/file_lock.ts";
import { nowAndThen } from "../threads/now_and_then.ts";
import { sha256Hex } from "../files/sha256.ts";
import { writeWhole } from "../files/write_whole.ts";
import { removed } from "../files/temporary_path.ts";
import { LetheError } from "../error.ts";
import { metaLearningStatePath } from "../run/meta_learning/state.ts";
import type { OnProgress, ProgressEvent } from "../run/progress.ts";
import { trainingStatePath } from "../run/train_model.ts";
import type { Device } from "../tensor/device.ts";
import { methodOf, needsData } from "../unlearn/methods.ts";
import { collectResults } from "./collect_results.ts";
import { recordPath } from "./cluster/claim.ts";
import { hostName } from "../files/host_name.ts";
import { claimsFolder, type GridPlan, identityKeyOf, planGrid, stagesFolder } from "./plan.ts";
import { madeStages } from "./plan/made_stages.ts";
import type { BenchmarkResults } from "./results.ts";
import type { GridSettings } from "./settings.ts";
import type { Stage, StageTask } from "./stage.ts";
import { runStages } from "./stage_pool.ts";

/** What {@link runGrid} needs. */
export interface GridOptions {
  /** What to run. */
  readonly settings: GridSettings;
  /** What computes. */
  readonly device: Pick<Device, "backend" | "adapter">;
  /** The grid's folder, absolute; stages that lie there are not made again. */
  readonly out: string;
  /** Stages at a time. */
  readonly workers: number;
  /** A folder that keeps decoded images. */
  readonly cache?: string | undefined;
  /** Told of the work done. */
  readonly onProgress?: OnProgress | undefined;
  /** Gets a line worth knowing, once: that the cache takes no more. */
  readonly onNotice?: ((line: string) => void) | undefined;
}

/** A finished grid, with what went wrong in it. */
export interface GridOutcome {
  /** All that is measured. */
  readonly results: BenchmarkResults;
  /** Stages that failed, and why. */
  readonly failures: readonly { readonly stage: string; readonly message: string }[];
}

/** Where a grid's results lie; they are brought up to date whenever a cell is done. */
export function resultsPath(out: string, { ablation }: GridSettings): string {
  return join(out, ablation === undefined ? "results.json" : `results-${ablation}.json`);
}

/**
 * Runs a grid. Every stage is kept in a folder named after all that it depends on, so a grid that was
 * stopped or killed goes on where it was, down to the epoch, and ends with the same results; a changed
 * setting makes anew only what depends on it. A stage that fails takes its own cells with it and no
 * others.
 *
 * @throws LetheError the settings name no data, or another process works in the folder
 */
export async function runGrid(options: GridOptions): Promise<GridOutcome> {
  const { settings, device, out, workers, cache, onProgress, onNotice } = options;
  const plan = planGrid(settings, out, device.adapter);
  await Deno.mkdir(stagesFolder(out), { recursive: true });
  using _lock = await lock(out);
  // People of a benchmark are known from its data; one key for all kits makes their bytes repeat.
  await writeWhole(identityKeyOf(out), sha256Hex(new TextEncoder().encode("benchmark")) + "\n");

  const done = await madeStages(plan.stages, out);
  await removeLeftovers(stagesFolder(out), done);
  const failures: { stage: string; message: string }[] = [];
  const report = effortReport(plan, done, onProgress);
  const claims = claimsFolder(out);
  await removeClaims(claims);
  const maker = { adapter: device.adapter, host: hostName() };
  const save = async () => {
    const results = await collectResults(settings, plan, device.adapter, done, claims);
    await writeWhole(resultsPath(out, settings), JSON.stringify(results) + "\n");
    return results;
  };
  const saveNowAndThen = nowAndThen(save);
  await runStages(plan.stages, done, { backend: device.backend, workers, cache }, {
    onProgress: report.running,
    onNotice: (line) => onNotice?.(line),
    async onDone(stage) {
      done.add(stage.out);
      report.done(stage);
      await writeWhole(recordPath(claims, basename(stage.out)), JSON.stringify(maker) + "\n");
      if (stage.task.kind === "measure" || stage.task.kind === "sequence") await saveNowAndThen();
    },
    onFailed(stage, message) {
      failures.push({ stage: stage.title, message });
    },
    onExit: () => sweep(stagesFolder(out)),
  });
  return { results: await save(), failures };
}

/** Holds the folder for one process; the system lets go of it when the process ends, however it does. */
async function lock(out: string): Promise<Deno.FsFile> {
  const file = await Deno.open(join(out, "lock"), { write: true, create: true });
  if (await holdFile(file, true)) return file;
  file.close();
  throw new LetheError(
    `another benchmark works in ${out}`,
    "a grid's folder serves one process at a time",
    "wait for it, or name another folder with --out",
  );
}

/** Removes the claims of processes that are dead: nobody else works in the folder. */
async function removeClaims(folder: string): Promise<void> {
  await Deno.mkdir(folder, { recursive: true });
  for await (const { name } of Deno.readDir(folder)) {
    if (/\.\d+$/.test(name)) await Deno.remove(join(folder, name));
  }
}

/** Names of folders and files that have not taken their own yet. */
const HALF_MADE = /^\..*\.part$/;

/** Removes what a killed process left: half-made folders, and the saved state of runs that are done. */
async function removeLeftovers(folder: string, done: ReadonlySet<string>): Promise<void> {
  const states = new Set(
    [...done].flatMap((out) => [trainingStatePath(out), metaLearningStatePath(out), `${out}.rows`]),
  );
  for await (const { name } of Deno.readDir(folder)) {
    const path = join(folder, name);
    if (HALF_MADE.test(name) || states.has(path)) await Deno.remove(path, { recursive: true });
  }
}

/** The same at once, for a process that ends: workers have no chance to remove what they half made. */
function sweep(folder: string): void {
  for (const { name } of [...Deno.readDirSync(folder)].filter(({ name }) => HALF_MADE.test(name))) {
    // Once more where a write that was under way has filled a folder again.
    for (let attempt = 0; attempt < 3 && !removed(join(folder, name)); attempt++);
  }
}

/** How long a stage takes against others, roughly: for the time left. */
function effortOf(task: StageTask): number {
  switch (task.kind) {
    case "train":
      return 4 * task.recipe.epochs;
    case "meta-learn":
      return 8 * task.settings.epochs + 4;
    case "predict":
      return 3;
    case "unlearn":
      return needsData(methodOf(task.method)) ? 30 : 6;
    case "statistics":
      return 5;
    case "choose":
      return 3 * (task.candidates.length - 1) *
        (needsData(methodOf(task.method)) ? 6 : 1);
    case "sequence":
      return 2 * task.requests;
    // These know nothing of the epochs: of sixteen.
    case "folds":
      return 50 * task.count * task.sets;
    case "log-updates":
      return 200;
    case "memorise":
      return 6 * task.settings.memorise.rounds;
    default:
      return 1;
  }
}

/** Tells of the whole grid's progress in units of effort, running stages by their own share. */
function effortReport(plan: GridPlan, done: ReadonlySet<string>, onProgress?: OnProgress) {
  const total = plan.stages.reduce((sum, { task }) => sum + effortOf(task), 0);
  const shares = new Map<string, number>();
  let finished = plan.stages.filter(({ out }) => done.has(out))
    .reduce((sum, { task }) => sum + effortOf(task), 0);
  const tell = (note: string) => {
    // Of those that run: it is told often, and plans have thousands of stages.
    const under = shares.values().reduce((sum, effort) => sum + effort, 0);
    onProgress?.({
      stage: "benchmark",
      done: Math.min(total, Math.round(10 * (finished + under)) / 10),
      total,
      unit: "units of work",
      note,
    });
  };
  tell(`${done.size} of ${plan.stages.length} stages are there`);
  return {
    running(stage: Stage, event: ProgressEvent) {
      // A stage's other passes, such as loading images, are short.
      if (event.stage === stage.task.kind) {
        shares.set(stage.out, effortOf(stage.task) * event.done / event.total);
      }
      tell([stage.title, event.note].filter(Boolean).join(", "));
    },
    done(stage: Stage) {
      shares.delete(stage.out);
      finished += effortOf(stage.task);
      tell(stage.title);
    },
  };
}
