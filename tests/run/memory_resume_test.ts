import { assertEquals, assertRejects } from "@std/assert";
import { join } from "@std/path";
import { samplesOf } from "../../lib/data/split.ts";
import { range } from "../../lib/data/loader/image_source.ts";
import { LetheError } from "../../lib/error.ts";
import { readModel } from "../../lib/model/checkpoint.ts";
import { uploadWeights } from "../../lib/model/device_weights.ts";
import { layerShapes } from "../../lib/model/kit/row_layers.ts";
import { thetaShapes } from "../../lib/model/theta_shapes.ts";
import { makeMemory } from "../../lib/run/memory/make_memory.ts";
import { peopleOf } from "../../lib/run/memory/people_of.ts";
import { RowFiles } from "../../lib/run/memory/row_files.ts";
import { DEFAULT_MEMORY } from "../../lib/run/memory/settings.ts";
import { openSplit } from "../../lib/run/split_data.ts";
import { openImages } from "../../lib/run/split_images.ts";
import { trainModel } from "../../lib/run/train_model.ts";
import { disposeWeights } from "../../lib/tensor/weights.ts";
import { inTemporaryFolder } from "../data/temporary_folder.ts";
import { bytesOf, smallSplit } from "./small_split.ts";

Deno.test("makeMemory goes on after the last whole round when it was stopped, and ends with the same rows", () =>
  inTemporaryFolder(async (folder) => {
    const options = await smallSplit(folder);
    const { device, split, seed } = options;
    const at = (name: string) => join(folder, name);
    const recipe = { ...options.recipe, epochs: 1 };
    await trainModel({ ...options, recipe, out: at("model") });
    const data = await openSplit(split, options.data);
    const model = await readModel(at("model"));
    const train = samplesOf(data.split, data.dataset, "train");
    const val = samplesOf(data.split, data.dataset, "val");
    const { identities, people } = peopleOf(train, 0);
    using images = openImages(data, undefined);
    const theta = uploadWeights(model.theta);
    const asked: string[] = [];
    let moments = 0;
    const make = (name: string, stopAt = "") =>
      makeMemory({
        ...{ device, model, theta, identities, people, split, seed, microBatch: 16 },
        source: images.source([...train, ...val], model.config),
        val: range(val.length).map((i) => train.length + i),
        modelFolder: at("model"),
        splitHash: data.sha256,
        data: options.data,
        folder: at("folds"),
        rowsFolder: at(name),
        // On the disk, and in memory; the rows are the same.
        rowFiles: name === "whole" ? { mostInMemory: 0 } : { every: 0 },
        ...{ count: 2, sets: 1, ranks: [2] },
        settings: {
          ...DEFAULT_MEMORY,
          momentImages: 2,
          requestSizes: [2],
          layers: "chosen",
          memorise: { ...DEFAULT_MEMORY.memorise, rounds: 3, groupSizes: [2], momentum: 0.5 },
        },
        onProgress({ stage, note = "" }) {
          if (stage === "gradients' moments") moments++;
          if (stage !== "memorise") return;
          if (note === stopAt) throw new Error("enough");
          asked.push(note);
        },
      });
    const { learned: [{ layers, rows: whole, scales }] } = await make("whole");
    const { step } = await whole.read(0);
    const shapes = layerShapes(thetaShapes(model.config, model.config.labels.length), layers);
    assertEquals([...step.keys()].sort(), [...shapes.keys()].sort());
    assertEquals(scales.length, 1);
    const notes = asked.splice(0);
    await assertRejects(() => make("stopped", "round 3 of 3"), Error, "enough");
    asked.splice(0);
    assertEquals(moments, 2 * 2 * 2, "two images, twice, in two runs");
    const { learned: [{ rows: again }] } = await make("stopped");
    assertEquals(moments, 2 * 2 * 2, "the stopped run's are kept");
    assertEquals(asked, notes.filter((note) => note === "round 3 of 3"));
    const roundsIn = (name: string) =>
      Object.entries(bytesOf(at(name))).filter(([file]) => file.startsWith("round"));
    assertEquals(roundsIn("stopped").map(([file]) => file), ["round-3.f32"]);
    assertEquals(roundsIn("stopped"), roundsIn("whole"));
    assertEquals(again.count, whole.count);
    for (const row of range(whole.count)) {
      assertEquals(await again.read(row), await whole.read(row));
    }
    disposeWeights(theta);
  }));

for (const mostInMemory of [0, 2 ** 20]) {
  Deno.test(`RowFiles reads zeros at first, then what was written, and refuses another run's (${mostInMemory} bytes in memory)`, () =>
    inTemporaryFolder(async (folder) => {
      const path = join(folder, "rows");
      const open = (run: string, every = 0) =>
        RowFiles.open(path, 3, 2, JSON.stringify({ run }), { mostInMemory, every });
      const rows = await open("a");
      assertEquals(await rows.read(2), new Float32Array(2));
      await rows.write(2, Float32Array.of(5, 6));
      await rows.write(0, Float32Array.of(1, 2));
      await rows.write(1, Float32Array.of(3, 4));
      await rows.endRound(1, false);
      assertEquals([await rows.read(0), await rows.read(2)], [
        Float32Array.of(1, 2),
        Float32Array.of(5, 6),
      ]);
      await rows.write(0, Float32Array.of(7, 8));
      rows.close();
      const again = await open("a", 1e9);
      assertEquals([again.rounds, await again.read(0)], [1, Float32Array.of(1, 2)]);
      for (const row of [0, 1, 2]) await again.write(row, Float32Array.of(9, row));
      await again.endRound(2, false);
      // Rows in memory are not due yet.
      assertEquals(again.rounds, mostInMemory === 0 ? 2 : 1);
      for (const row of [0, 1, 2]) await again.write(row, Float32Array.of(10, row));
      await again.endRound(3, true);
      again.close();
      const names = [...Deno.readDirSync(path)].map(({ name }) => name).sort();
      assertEquals(names, ["round-3.f32", "run.json"]);
      await Deno.truncate(join(path, "round-3.f32"), 12);
      const cut = async () => await (await open("a")).read(1);
      await assertRejects(cut, LetheError, "ends before row 1");
      await assertRejects(() => open("b"), LetheError, 'run was "a" and is "b"');
    }));
}
