import { join } from "@std/path";
import { LetheError, UsageError } from "../../error.ts";
import { holdFile } from "../../files/file_lock.ts";
import { sha256Hex } from "../../files/sha256.ts";
import { writeWhole } from "../../files/write_whole.ts";
import type { OnProgress } from "../../run/progress.ts";
import type { Device } from "../../tensor/device.ts";
import { closestName } from "../../closest_name.ts";
import { collectResults } from "../collect_results.ts";
import { claimsFolder, identityKeyOf, stagesFolder } from "../plan.ts";
import { madeStages } from "../plan/made_stages.ts";
import type { BenchmarkResults } from "../results.ts";
import { resultsPath } from "../run_grid.ts";
import { runStages } from "../stage_pool.ts";
import { claimStage, type ClaimTimes } from "./claim.ts";
import { hostName } from "../../files/host_name.ts";
import { hashOf, type ReadPlan } from "./plan_file.ts";

/** What {@link runClaimed} needs. */
export interface ClaimedOptions {
  readonly read: ReadPlan;
  /** The plan file's path, for errors. */
  readonly planPath: string;
  readonly hash: string;
  readonly device: Pick<Device, "backend" | "adapter">;
  readonly times?: ClaimTimes;
  readonly onProgress?: OnProgress | undefined;
  /** Gets a line worth knowing, once: that the cache takes no more. */
  readonly onNotice?: ((line: string) => void) | undefined;
  /** Called with who is waited for. */
  readonly onWait?: (owner: string) => void;
}

/**
 * Makes exactly one stage of a plan, beside any number of other processes that make theirs, or the
 * same, on this machine or on others. Where another makes it already, it is waited for, and taken over
 * when it is dead; what training and meta-learning have saved is gone on from.
 *
 * @returns whether this process made it; false where it was there
 * @throws UsageError the plan has no such stage
 * @throws LetheError a stage that it needs has not been made, or making it failed
 */
export async function runClaimed(options: ClaimedOptions): Promise<boolean> {
  const { read: { file, plan }, planPath, hash, device, times, onProgress, onNotice, onWait } =
    options;
  const stage = plan.stages.find((stage) => hashOf(stage) === hash);
  if (!stage) {
    const near = closestName(hash, plan.stages.map(hashOf));
    throw new UsageError(
      `${planPath} has no stage ${hash}`,
      "its stages are listed in it",
      near === null ? "name one of them" : `did you mean ${near}?`,
    );
  }
  const isDone = () => exists(stage.out);
  if (await isDone()) return false;
  const missing = [];
  for (const need of stage.needs) if (!await exists(need)) missing.push(hashOf({ out: need }));
  if (missing.length > 0) {
    throw new LetheError(
      `${hash} needs ${missing.join(" and ")}`,
      "a stage is made after those that it needs",
      "make them first, layer after layer",
    );
  }
  await Deno.mkdir(stagesFolder(file.out), { recursive: true });
  const key = identityKeyOf(file.out);
  if (!await exists(key)) {
    await writeWhole(key, sha256Hex(new TextEncoder().encode("benchmark")) + "\n");
  }
  const claims = claimsFolder(file.out);
  const maker = { adapter: device.adapter, host: hostName() };
  using claim = await claimStage(claims, hash, maker, isDone, times, onWait);
  if (!claim) return false;
  const started = performance.now();
  let failure: string | undefined;
  const making = runStages(
    [stage],
    new Set(stage.needs),
    { backend: device.backend, workers: 1, ...(file.cache === null ? {} : { cache: file.cache }) },
    {
      onProgress: (_, event) =>
        onProgress?.({
          ...event,
          note: [stage.title, event.note].filter(Boolean).join(", "),
        }),
      onNotice: (line) => onNotice?.(line),
      onDone: () => claim.done((performance.now() - started) / 1000),
      onFailed: (_, message) => failure = message,
      onExit: () => {},
    },
  );
  await Promise.race([making, claim.lost]);
  // Another process that was taken for dead may have been a moment quicker; what it left is the same.
  if (failure === undefined || await isDone()) return failure === undefined;
  throw new LetheError(failure, `it stopped the stage ${stage.title}`, "mend it and repeat");
}

/** Gathers what is there into the grid's `results.json`. @returns the results, and what is not there */
export async function collectPlan(
  { file, settings, plan }: ReadPlan,
): Promise<{ results: BenchmarkResults; missing: string[] }> {
  const done = await madeStages(plan.stages, file.out);
  const results = await collectResults(settings, plan, file.adapter, done, claimsFolder(file.out));
  await writeWhole(resultsPath(file.out, settings), JSON.stringify(results) + "\n");
  return {
    results,
    missing: plan.stages.filter(({ out }) => !done.has(out)).map(hashOf),
  };
}

/** Holds a grid's folder as one of many, against a `benchmark` that wants it alone. */
export async function shareFolder(out: string): Promise<Disposable> {
  await Deno.mkdir(out, { recursive: true });
  const file = await Deno.open(join(out, "lock"), { write: true, create: true });
  // Some shared file systems know no locks; claims do without.
  if (await holdFile(file, false).catch(() => true)) return file;
  file.close();
  throw new LetheError(
    `a benchmark of one process works in ${out}`,
    "it wants a grid's folder for itself",
    "wait for it, or name another folder",
  );
}

async function exists(path: string): Promise<boolean> {
  return await Deno.lstat(path).then(() => true, () => false);
}
