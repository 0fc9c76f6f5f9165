import { basename, join } from "@std/path";
import { claimants } from "../benchmark/cluster/claim.ts";
import { parseGridSettings } from "../benchmark/parse_settings.ts";
import { claimsFolder, planGrid, stagesFolder } from "../benchmark/plan.ts";
import { LetheError } from "../error.ts";
import { isHeld } from "../files/file_lock.ts";
import { parseJsonObject } from "../files/json_fields.ts";
import { readPlainText } from "../files/plain_file.ts";
import { counted, type Inspected, some } from "./inspected.ts";

/** A stage's folder, as `makeStage` names it. */
const STAGE = /^([a-z][a-z-]*)-[0-9a-f]{20}$/;

/**
 * A benchmark's folder: which stages are there, which were begun, who makes one, and what is measured. What
 * failed left nothing; it is tried again when the grid goes on.
 *
 * @throws {LetheError} its results are damaged
 */
export async function inspectGrid(path: string): Promise<Inspected> {
  const folders = await entries(stagesFolder(path));
  const made = folders.filter((name) => STAGE.test(name));
  const claims = claimsFolder(path);
  const isMade = new Set(made);
  const claimed = [...claimants(claims)].filter(([stage]) => !isMade.has(stage))
    .map(([stage, by]) => ({ stage, by }));
  const begun = folders.flatMap((name) =>
    /^(.+)\.(?:training|meta-learning|rows)$/.exec(name)?.[1] ?? []
  )
    .filter((stage) => !isMade.has(stage));
  const results = (await entries(path)).filter((name) => /^results(-.+)?\.json$/.test(name));
  const grids = [];
  for (const file of results) grids.push(await resultsOf(path, file, made));
  const [works, kinds] = [await isHeld(join(path, "lock"), true), byKind(made)];
  return {
    kind: "benchmark grid",
    path,
    rows: [
      ["stages made", `${made.length}${kinds === "" ? "" : `: ${kinds}`}`],
      ["begun", begun.length === 0 ? "-" : some(begun)],
      [
        "claimed",
        claimed.length === 0 ? "-" : some(claimed.map(({ stage, by }) => `${stage} by ${by}`)),
      ],
      ["a process works here", works ? "yes" : "no"],
      ...grids.map(({ file, name, measured, planned, missing }): [string, string] => [
        file,
        `${name}: ${measured} of ${counted(planned, "cell", "cells")} measured, ` +
        (missing.length === 0 ? "no stage is missing" : `not made: ${byKind(missing)}`),
      ]),
    ],
    notes: grids.length === 0
      ? ["no cell is measured yet: how many stages there will be its settings tell"]
      : grids.some(({ missing }) => missing.length > 0) && !works
      ? [
        "the same benchmark command goes on with what is not made; a stage that failed is tried again",
      ]
      : [],
    value: { kind: "benchmark grid", made, begun, claimed, works, results: grids },
  };
}

async function resultsOf(path: string, file: string, made: readonly string[]) {
  const at = join(path, file);
  const remedy = "remove it: the grid gathers it anew";
  const text = await readPlainText(at, { maxBytes: 2 ** 30, remedy });
  const { settings, device, planned, cells } = parseJsonObject(text, at, remedy);
  // Which ablation it is, is the benchmark's own note.
  const { ablation: _, ...told } = (settings ?? {}) as Record<string, unknown>;
  const grid = parseGridSettings(JSON.stringify(told), at);
  if (typeof device !== "string" || typeof planned !== "number" || !Array.isArray(cells)) {
    throw new LetheError(`${at} is no benchmark's`, "it has device, planned and cells", remedy);
  }
  const stages = planGrid(grid, await Deno.realPath(path), device).stages.map(({ out }) =>
    basename(out)
  );
  return {
    ...{ file, name: grid.name, device, planned, measured: cells.length },
    missing: stages.filter((stage) => !made.includes(stage)),
  };
}

/** `train 4, measure 2`. */
function byKind(stages: readonly string[]): string {
  const counts = new Map<string, number>();
  for (const stage of stages) {
    const kind = STAGE.exec(stage)?.[1] ?? stage;
    counts.set(kind, (counts.get(kind) ?? 0) + 1);
  }
  return [...counts].map(([kind, count]) => `${kind} ${count}`).join(", ");
}

async function entries(folder: string): Promise<string[]> {
  try {
    return (await Array.fromAsync(Deno.readDir(folder))).map(({ name }) => name).sort();
  } catch {
    return [];
  }
}
