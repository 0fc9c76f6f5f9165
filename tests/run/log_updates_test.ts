import { assert, assertEquals, assertRejects } from "@std/assert";
import { join } from "@std/path";
import { writePortraits } from "../../lib/data/portraits/write_portraits.ts";
import { openDataset } from "../../lib/data/open_dataset.ts";
import { hashImages } from "../../lib/data/loader/image_store.ts";
import { makeSplit } from "../../lib/data/split.ts";
import { writeSplit } from "../../lib/data/split_file.ts";
import { LetheError } from "../../lib/error.ts";
import { readModel } from "../../lib/model/checkpoint.ts";
import { TRAINING_RECIPES } from "../../lib/model/recipes.ts";
import { openUpdates, updatesFolder } from "../../lib/run/memory/stored_updates.ts";
import { openSplit } from "../../lib/run/split_data.ts";
import { trainModel, type TrainModelOptions } from "../../lib/run/train_model.ts";
import { openDevice } from "../../lib/tensor/device.ts";
import { inTemporaryFolder } from "../data/temporary_folder.ts";

/** Drawn people and a split of them. */
async function prepare(folder: string): Promise<Omit<TrainModelOptions, "out">> {
  const data = join(folder, "portraits");
  await writePortraits(data, { identities: 10, imagesPerIdentity: 3, side: 16, seed: 0 });
  const dataset = await openDataset("celeba", data);
  const hashes = await hashImages(dataset.root, dataset.samples.map(({ file }) => file));
  const split = join(folder, "split.json");
  await writeSplit(split, makeSplit(dataset, { forget: 2, seed: 0, hashes }));
  const recipe = TRAINING_RECIPES.find(({ name }) => name === "portraits")!;
  return {
    ...{ device: await openDevice("wasm"), split, data, seed: 0, withoutForget: false },
    preset: "vit_demo_patch8_32",
    recipe: { ...recipe, epochs: 3, batchSize: 8 },
  };
}

const bytesOf = (folder: string) =>
  [...Deno.readDirSync(folder)].map(({ name }) => name).sort()
    .map((name) => [name, Deno.readFileSync(join(folder, name)).join()]);

Deno.test("trainModel logs the same updates when it was stopped, and the weights are the same without", () =>
  inTemporaryFolder(async (folder) => {
    const options = await prepare(folder);
    const at = (name: string) => join(folder, name);
    await trainModel({ ...options, out: at("plain") });
    await trainModel({ ...options, out: at("whole"), logUpdates: 2 });
    const stop = () =>
      trainModel({
        ...{ ...options, out: at("stopped"), logUpdates: 2 },
        onProgress({ note }) {
          if (note?.startsWith("epoch 3/")) throw new Error("enough");
        },
      });
    await assertRejects(stop, Error, "enough");
    assertEquals([...Deno.readDirSync(at("stopped.training.updates"))].map(({ name }) => name), [
      "epoch-2.f32",
    ]);
    await trainModel({ ...options, out: at("stopped"), logUpdates: 2 });
    assertEquals(bytesOf(updatesFolder(at("stopped"))), bytesOf(updatesFolder(at("whole"))));
    const left = [...Deno.readDirSync(folder)].map(({ name }) => name);
    assertEquals(left.filter((name) => name.includes(".training")), []);
    const weights = (name: string) => Deno.readFileSync(at(`${name}/model.safetensors`)).join();
    assertEquals(weights("whole"), weights("plain"));

    const model = await readModel(at("whole"));
    const { sha256, split } = await openSplit(options.split, options.data);
    const updates = await openUpdates(updatesFolder(at("whole")), model, sha256);
    assertEquals(updates.rank, 2);
    const step = await updates.step(split.identities.forget[0]);
    for (const [name, { shape }] of model.theta) {
      assertEquals(step.get(name)!.shape, [...shape]);
      assert(step.get(name)!.values.some((x) => x !== 0), name);
    }
    await assertRejects(() => updates.step("nobody"), LetheError, "no updates of nobody");
    const other = updatesFolder(at("whole"));
    await assertRejects(() => openUpdates(other, model, "0".repeat(64)), LetheError, "its split");
  }));
