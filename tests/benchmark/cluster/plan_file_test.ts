import { assert, assertEquals, assertRejects } from "@std/assert";
import { join } from "@std/path";
import {
  hashOf,
  planFileOf,
  readPlan,
  readPlanOf,
  refuseOverOther,
  writePlan,
} from "../../../lib/benchmark/cluster/plan_file.ts";
import { GRID_PRESETS } from "../../../lib/benchmark/presets.ts";
import { LetheError, UsageError } from "../../../lib/error.ts";
import { inTemporaryFolder, writeFiles } from "../../data/temporary_folder.ts";
import { TINY_GRID } from "../tiny_grid.ts";

const plan = (out: string, ablation: "inputs" | null = null) =>
  planFileOf(
    {
      settings: ablation ? GRID_PRESETS.small : TINY_GRID,
      ...{ ablation, out, device: "wasm", adapter: "WASM", cache: null },
    },
    new Map([["portraits", 64]]),
  );

Deno.test("planFileOf puts every stage one layer above the highest of those that it needs", () => {
  const { stages } = plan("/grid");
  const layers = new Map(stages.map(({ hash, layer }) => [hash, layer]));
  assertEquals(layers.size, stages.length);
  for (const { needs, layer } of stages) {
    assertEquals(layer, Math.max(-1, ...needs.map((need) => layers.get(need)!)) + 1);
  }
  for (const { estimate: { memoryMiB, seconds } } of stages) assert(memoryMiB > 0 && seconds > 0);
});

Deno.test("readPlan gives the stages of what writePlan wrote, an ablation's too", () =>
  inTemporaryFolder(async (folder) => {
    const path = join(folder, "jobs.json");
    for (const ablation of [null, "inputs"] as const) {
      const written = plan(join(folder, "grid"), ablation);
      await writePlan(path, written);
      const read = await readPlan(path);
      assertEquals(read.plan.stages.map(hashOf), written.stages.map(({ hash }) => hash));
      assertEquals(read.file.out, written.out);
      assertEquals(read.settings.ablation, ablation ?? undefined);
    }
  }));

Deno.test("readPlanOf reads the plan of a folder, by whatever name, and refuses a folder that was moved", () =>
  inTemporaryFolder(async (folder) => {
    const out = join(folder, "grid");
    await Deno.mkdir(out);
    await writePlan(join(out, "jobs.json"), plan(out));
    await Deno.symlink(out, join(folder, "link"));
    for (const name of ["grid", "link"]) {
      assertEquals((await readPlanOf(join(folder, name))).file.out, out);
    }
    await Deno.rename(out, join(folder, "moved"));
    await assertRejects(
      () => readPlanOf(join(folder, "moved")),
      UsageError,
      `is the plan of ${out}`,
    );
  }));

Deno.test("refuseOverOther lets a plan be written over itself alone, and before it is known over any plan", () =>
  inTemporaryFolder(async (folder) => {
    const path = join(folder, "jobs.json");
    const own = plan(join(folder, "grid"));
    await refuseOverOther(path, null);
    await refuseOverOther(path, own);
    await writePlan(path, own);
    await refuseOverOther(path, null);
    await refuseOverOther(path, own);
    const other = plan(join(folder, "another grid"));
    await assertRejects(
      () => refuseOverOther(path, other),
      LetheError,
      "jobs.json exists; an output is not written over unasked: give --plan another name",
    );
    await writeFiles(folder, { "split.json": "{}", "jobs.json": "" });
    for (const name of ["split.json", "jobs.json"]) {
      for (const each of [null, own]) {
        await assertRejects(() => refuseOverOther(join(folder, name), each), LetheError, "exists");
      }
    }
  }));

Deno.test("readPlan refuses a plan of other stages or of a damaged field, by name", () =>
  inTemporaryFolder(async (folder) => {
    const path = join(folder, "jobs.json");
    const good = plan(folder);
    const refuses = async (change: object, message: string) => {
      await writePlan(path, { ...good, ...change } as typeof good);
      await assertRejects(() => readPlan(path), LetheError, message);
    };
    await refuses({ stages: good.stages.slice(1) }, "other stages");
    await refuses({ settings: { ...TINY_GRID, seeds: [3, 4] } }, "other stages");
    await refuses({ device: "tpu" }, "device");
    await refuses({ out: 3 }, "out");
    await refuses({ out: "grid" }, 'out is "grid"; it is an absolute path, a line of 1 to');
    await refuses({ cache: "cache" }, 'cache is "cache"; it is null or an absolute path');
    await refuses({ settings: { ...TINY_GRID, seeds: "all" } }, "seeds");
    await refuses({ version: 2 }, "version");
  }));
