import type { OnProgress } from "../../run/progress.ts";
import { madeStages } from "../plan/made_stages.ts";
import type { Stage } from "../stage.ts";
import type { ReadPlan } from "./plan_file.ts";
import { type QueuedJob, squeue } from "./slurm_commands.ts";

/** Milliseconds between two looks at the queue; Slurm's own advice is not to ask all the time. */
const EVERY = 2000;
/** How often in a row Slurm may fail to answer, as where its controller is started anew. */
const PATIENCE = 30;

/** The stages of a plan that have been made, and those that have not. */
export async function stagesMade(
  { file, plan }: ReadPlan,
): Promise<{ made: Stage[]; missing: Stage[] }> {
  const there = await madeStages(plan.stages, file.out);
  const { made = [], missing = [] } = Object.groupBy(
    plan.stages,
    ({ out }) => there.has(out) ? "made" : "missing",
  );
  return { made, missing };
}

/**
 * Tells of a grid's progress until none of its jobs waits or runs.
 *
 * @param ids of the jobs
 * @throws LetheError Slurm does not answer for a minute
 */
export async function followGrid(
  read: ReadPlan,
  ids: ReadonlySet<string>,
  onProgress?: OnProgress,
): Promise<void> {
  let failures = 0;
  for (;;) {
    const { made, missing } = await stagesMade(read);
    let jobs: QueuedJob[] | undefined;
    try {
      jobs = await squeue(ids);
      failures = 0;
    } catch (error) {
      if (++failures >= PATIENCE) throw error;
    }
    if (jobs?.length === 0) return;
    const running = jobs?.filter(({ state }) => state === "RUNNING").length;
    onProgress?.({
      stage: "benchmark",
      done: made.length,
      total: made.length + missing.length,
      unit: "stages",
      note: jobs ? `${running} jobs run, ${jobs.length - running!} wait` : "Slurm does not answer",
    });
    await new Promise((resolve) => setTimeout(resolve, EVERY));
  }
}
