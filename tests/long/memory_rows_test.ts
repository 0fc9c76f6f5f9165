import { assert, assertEquals, assertNotEquals } from "@std/assert";
import { join } from "@std/path";
import { runGrid } from "../../lib/benchmark/run_grid.ts";
import { inTemporaryFolder } from "../data/temporary_folder.ts";
import { TINY_GRID } from "../benchmark/tiny_grid.ts";

const MEMORY = { method: "memory", folds: 2, foldSets: 1, rounds: 1 } as const;

Deno.test("runGrid trains fold models once for memory of every rank, and serves a stream by it", () =>
  inTemporaryFolder(async (folder) => {
    const { results, failures } = await runGrid({
      settings: {
        ...TINY_GRID,
        seeds: [0],
        methods: [
          { name: "Memory, full", rank: null, ...MEMORY },
          { name: "Memory, rank 1", rank: 1, ...MEMORY },
          {
            name: "Reference tuning",
            method: "reference-tuning",
            candidates: [{ learningRate: 1 }, { learningRate: 1, epochs: 2 }],
          },
          { name: "Influence", method: "influence" },
          { name: "Stored updates", rank: null, ...MEMORY, updates: true },
        ],
      },
      device: { backend: "wasm", adapter: "test" },
      out: join(folder, "grid"),
      workers: 1,
    });
    assertEquals(failures, []);
    const stages = [...Deno.readDirSync(join(folder, "grid/stages"))].map(({ name }) => name);
    const count = (kind: string) => stages.filter((name) => name.startsWith(`${kind}-`)).length;
    assertEquals([count("folds"), count("memorise"), count("unlearn")], [1, 2, 5]);
    const [pretrain, , , tuned, influence] = results.cells;
    for (const { losses } of [tuned, influence]) assertNotEquals(losses, pretrain.losses);
    assertEquals(tuned.settings?.learningRate, 1);
    type Chosen = {
      rank: number | null;
      scales: { people: number; scale: { scale: number }; trials: { scale: number }[] }[];
    }[];
    const lots = stages.filter((name) => name.startsWith("memorise-")).map((stage): Chosen =>
      JSON.parse(Deno.readTextFileSync(join(folder, "grid/stages", stage, "result.json")))
    ).sort((a, b) => b.length - a.length);
    assertEquals(lots.map((chosen) => chosen.map(({ rank }) => rank)), [[null, 1], [null]]);
    const [chosen] = lots;
    for (const { scales } of chosen) {
      // The folds are too small for requests of 20 and of 5: both are requests of a whole fold.
      assertEquals(scales.map(({ people }) => people > 1), [false, true]);
      for (const { scale, trials } of scales) {
        assert(trials.length >= 5 && trials.some((trial) => trial.scale === scale.scale));
      }
    }
    assertEquals(results.sequences.map(({ method }) => method), [
      "Memory, full",
      "Memory, rank 1",
      "Stored updates",
    ]);
    for (const { steps } of results.sequences) {
      assertEquals(steps.map(({ people }) => people), [1, 2]);
      assert(steps.every(({ tugOfWar }) => tugOfWar > 0 && tugOfWar <= 1));
    }
  }));
