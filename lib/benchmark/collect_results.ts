import { basename, join } from "@std/path";
import type { GridPlan } from "./plan.ts";
import { analyse } from "./analyse.ts";
import type { BenchmarkResults, CellResult, SequenceResult, SplitResult } from "./results.ts";
import type { GridSettings } from "./settings.ts";
import { readRecord } from "./cluster/claim.ts";
import { ON_DEVICE, RESULT_FILE, type Stage } from "./stage.ts";
import { summarise } from "./summarise.ts";

/**
 * A grid's results from what its finished stages left.
 *
 * @param done folders of finished stages
 * @param claims where it is kept who made each stage
 */
export async function collectResults(
  settings: GridSettings,
  plan: GridPlan,
  device: string,
  done: ReadonlySet<string>,
  claims: string,
): Promise<BenchmarkResults> {
  const adaptersOf = await adaptersBehind(plan, done, claims);
  const splits: SplitResult[] = [];
  for (const { describe, data, forget, seed } of plan.splits) {
    if (done.has(describe.out)) splits.push({ data, forget, seed, ...await read(describe.out) });
  }
  const cells: CellResult[] = [];
  for (const { measure, choose, ...place } of plan.cells) {
    if (!done.has(measure.out)) continue;
    const chosen = choose ? { settings: (await read(choose.out)).chosen } : {};
    const adapters = adaptersOf(measure);
    const made = adapters.length === 0 ? {} : { adapters };
    cells.push({ ...place, ...made, ...chosen, ...await read(measure.out) });
  }
  const sequences: SequenceResult[] = [];
  for (const { sequence, ...cell } of plan.sequences) {
    if (done.has(sequence.out)) sequences.push({ ...cell, steps: await read(sequence.out) });
  }
  return {
    version: 1,
    settings,
    device,
    planned: plan.cells.length,
    splits,
    cells,
    summary: summarise(splits, cells),
    analyses: analyse(splits, cells),
    sequences,
  };
}

/** Looks up which adapters a stage and all that it needs were computed on, in alphabetical order. */
async function adaptersBehind(
  { stages }: GridPlan,
  done: ReadonlySet<string>,
  claims: string,
): Promise<(stage: Stage) => string[]> {
  const behind = new Map<string, ReadonlySet<string>>();
  for (const { task, out, needs } of stages) {
    const own = ON_DEVICE.includes(task.kind) && done.has(out)
      ? await readRecord(claims, basename(out))
      : null;
    behind.set(
      out,
      new Set([
        ...needs.flatMap((need) => [...behind.get(need) ?? []]),
        ...own ? [own.adapter] : [],
      ]),
    );
  }
  return ({ out }) => [...behind.get(out) ?? []].sort();
}

// The stages are this program's own, named by a hash of their content.
// deno-lint-ignore no-explicit-any
async function read(folder: string): Promise<any> {
  return JSON.parse(await Deno.readTextFile(join(folder, RESULT_FILE)));
}
