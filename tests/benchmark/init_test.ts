import { assertEquals } from "@std/assert";
import { join } from "@std/path";
import { parseGridSettings } from "../../lib/benchmark/parse_settings.ts";
import { runGrid } from "../../lib/benchmark/run_grid.ts";
import type { GridSettings } from "../../lib/benchmark/settings.ts";
import { readModel, writeModel } from "../../lib/model/checkpoint.ts";
import { presetConfig, PRESETS } from "../../lib/model/config.ts";
import { downloadWeights } from "../../lib/model/device_weights.ts";
import { initialVit } from "../../lib/model/initial_vit.ts";
import { Random } from "../../lib/random.ts";
import { openDevice } from "../../lib/tensor/device.ts";
import { PORTRAIT_LABELS as LABELS } from "../../lib/data/portraits/labels.ts";
import { inTemporaryFolder } from "../data/temporary_folder.ts";
import { TINY_GRID } from "./tiny_grid.ts";

Deno.test("runGrid starts the model, the retrained one and every fold's from the weights of init", () =>
  inTemporaryFolder(async (folder) => {
    await openDevice("wasm");
    const config = presetConfig(PRESETS.vit_demo_patch8_32, "multi-label", LABELS);
    const init = join(folder, "base");
    const theta = initialVit(config, LABELS.length, new Random(99, "another draw"));
    await writeModel(init, { config, theta: await downloadWeights(theta) });
    const settings: GridSettings = {
      ...TINY_GRID,
      seeds: [0],
      // Steps of no length leave every model where it began.
      data: [{ ...TINY_GRID.data[0], init, training: { epochs: 1, learningRate: 0 } }],
      methods: [
        {
          ...{ name: "Memory", method: "memory", rank: 1, folds: 2, foldSets: 1, rounds: 1 },
          ...{ updates: true },
        } as const,
      ],
    };
    assertEquals(parseGridSettings(JSON.stringify(settings), "grid.json"), settings);
    const out = join(folder, "grid");
    const device = { backend: "wasm", adapter: "test" } as const;
    const { failures } = await runGrid({ settings, device, out, workers: 1 });
    assertEquals(failures, []);
    const stages = join(out, "stages");
    const names = [...Deno.readDirSync(stages)].map(({ name }) => name);
    const models = names.flatMap((name) =>
      name.startsWith("train-")
        ? [name]
        : name.startsWith("folds-")
        ? [`${name}/set0_fold0`, `${name}/set0_fold1`]
        : []
    );
    assertEquals(models.length, 4);
    const first = (await readModel(init)).theta;
    for (const model of models) {
      assertEquals((await readModel(join(stages, model))).theta, first, model);
    }
  }));
