import { assert, assertEquals, assertThrows } from "@std/assert";
import { planGrid } from "../../lib/benchmark/plan.ts";
import { madeStages } from "../../lib/benchmark/plan/made_stages.ts";
import type { GridSettings } from "../../lib/benchmark/settings.ts";
import { LetheError } from "../../lib/error.ts";
import { inTemporaryFolder } from "../data/temporary_folder.ts";
import { TINY_GRID } from "./tiny_grid.ts";

const [data] = TINY_GRID.data;
const [, ssd] = TINY_GRID.methods;

/** How many stages of each kind a changed grid has to make anew when the tiny one is there. */
function anew(change: Partial<GridSettings>, device = "d"): Record<string, number> {
  const there = new Set(planGrid(TINY_GRID, "/grid", "d").stages.map(({ out }) => out));
  const counts: Record<string, number> = {};
  for (const { task, out } of planGrid({ ...TINY_GRID, ...change }, "/grid", device).stages) {
    if (!there.has(out)) counts[task.kind] = (counts[task.kind] ?? 0) + 1;
  }
  return counts;
}

Deno.test("planGrid lays out each shared stage once, inputs before what needs them", () => {
  const { stages, cells, splits } = planGrid(TINY_GRID, "/grid", "d");
  const kinds = Map.groupBy(stages, ({ task }) => task.kind);
  assertEquals(
    Object.fromEntries([...kinds].map(([kind, own]) => [kind, own.length])),
    {
      draw: 1,
      split: 2,
      train: 4,
      predict: 4,
      describe: 2,
      measure: 6,
      "meta-learn": 2,
      statistics: 2,
      choose: 2,
      unlearn: 4,
      sequence: 2,
    },
  );
  const seen = new Set<string>();
  for (const { needs, out } of stages) {
    assert(needs.every((need) => seen.has(need)));
    assert(!seen.has(out));
    seen.add(out);
  }
  assertEquals([splits.length, cells.map(({ method }) => method)], [
    2,
    ["Pretrain", "MetaUnlearn", "SSD", "Pretrain", "MetaUnlearn", "SSD"],
  ]);
});

Deno.test("planGrid names a stage anew when, and only when, what it depends on has changed", () => {
  assertEquals(anew({}), {});
  // A name for people changes no result.
  assertEquals(anew({ name: "other", note: "a note" }), {});
  assertEquals(anew({ measure: { ...TINY_GRID.measure, draws: 51 } }), { measure: 6 });
  const method = {
    name: "MetaUnlearn",
    method: "metaunlearn",
    metaLearning: { epochs: 3 },
  } as const;
  assertEquals(anew({ methods: [method, ssd] }), {
    "meta-learn": 2,
    unlearn: 2,
    measure: 2,
    sequence: 2,
  });
  assertEquals(anew({ methods: [{ name: "SSD", method: "ssd" }] }), {
    choose: 2,
    unlearn: 2,
    measure: 2,
  });
  assertEquals(anew({ seeds: [0, 1, 2] }), {
    split: 1,
    train: 2,
    predict: 2,
    describe: 1,
    measure: 3,
    "meta-learn": 1,
    statistics: 1,
    choose: 1,
    unlearn: 2,
    sequence: 1,
  });
  assertEquals(anew({ data: [{ ...data, training: { epochs: 3 } }] }), {
    train: 4,
    predict: 4,
    describe: 2,
    measure: 6,
    "meta-learn": 2,
    statistics: 2,
    choose: 2,
    unlearn: 4,
    sequence: 2,
  });
  const init = anew({ data: [{ ...data, init: "/base" }] });
  assertEquals([init.train, init["meta-learn"], init.split, init.draw], [
    4,
    2,
    undefined,
    undefined,
  ]);
  assertEquals(anew({}, "another adapter").train, 4);
  assertEquals(anew({}, "another adapter").split, undefined);
});

Deno.test("planGrid's names do not depend on where the grid lies", () => {
  const names = (out: string) =>
    planGrid(TINY_GRID, out, "d").stages.map((stage) => stage.out.slice(out.length));
  assertEquals(names("/a/b"), names("/elsewhere"));
});

Deno.test("planGrid simulates larger requests where one person is to be forgotten", () => {
  const { stages } = planGrid({ ...TINY_GRID, data: [{ ...data, forget: [1, 3] }] }, "/grid", "d");
  const sizes = stages.flatMap(({ task }) =>
    task.kind === "meta-learn" && task.seed === 0 ? [task.settings.requestSize] : []
  );
  assertEquals(sizes, [4, 3]);
});

Deno.test("planGrid asks for the folder of a data set that has none", () => {
  const { portraits: _, ...rest } = data;
  const folderless = { ...TINY_GRID, data: [{ ...rest, layout: "celeba" as const }] };
  assertThrows(() => planGrid(folderless, "/grid", "d"), LetheError, "--data");
});

Deno.test("madeStages are those whose folders lie there", () =>
  inTemporaryFolder(async (folder) => {
    const { stages } = planGrid(TINY_GRID, folder, "test");
    assertEquals(await madeStages(stages, folder), new Set());
    const made = [stages[0].out, stages[3].out];
    for (const out of made) await Deno.mkdir(out, { recursive: true });
    // Not made: half of one, the state of another, and what is no stage of this plan's.
    for (const name of [`${stages[1].out}.training`, `${stages[0].out}x`]) await Deno.mkdir(name);
    assertEquals(await madeStages(stages, folder), new Set(made));
  }));
