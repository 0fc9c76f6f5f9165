import { assertRejects } from "@std/assert";
import { join } from "@std/path";
import {
  hashOf,
  planFileOf,
  readPlan,
  writePlan,
} from "../../../lib/benchmark/cluster/plan_file.ts";
import { runClaimed } from "../../../lib/benchmark/cluster/run_claimed.ts";
import { UsageError } from "../../../lib/error.ts";
import { inTemporaryFolder } from "../../data/temporary_folder.ts";
import { TINY_GRID } from "../tiny_grid.ts";

Deno.test("runClaimed refuses a stage that the plan has not, and names one that was meant if any is near", () =>
  inTemporaryFolder(async (folder) => {
    const planPath = join(folder, "jobs.json");
    const adapter = { device: "wasm", adapter: "WASM" } as const;
    const grid = { settings: TINY_GRID, ablation: null, out: join(folder, "grid"), cache: null };
    await writePlan(planPath, planFileOf({ ...grid, ...adapter }, new Map([["portraits", 64]])));
    const read = await readPlan(planPath);
    const [first] = read.plan.stages.map(hashOf);
    const device = { backend: "wasm", adapter: "WASM" } as const;
    const refuses = (hash: string, remedy: string) =>
      assertRejects(
        () => runClaimed({ read, planPath, hash, device }),
        UsageError,
        `has no stage ${hash}; its stages are listed in it: ${remedy}`,
      );
    await refuses("x", "name one of them");
    await refuses(first.slice(0, -1), `did you mean ${first}?`);
  }));
