import { join } from "@std/path";
import { writePortraits } from "../../lib/data/portraits/write_portraits.ts";
import { openDataset } from "../../lib/data/open_dataset.ts";
import { hashImages } from "../../lib/data/loader/image_store.ts";
import { makeSplit } from "../../lib/data/split.ts";
import { writeSplit } from "../../lib/data/split_file.ts";
import { TRAINING_RECIPES } from "../../lib/model/recipes.ts";
import type { TrainModelOptions } from "../../lib/run/train_model.ts";
import { openDevice } from "../../lib/tensor/device.ts";

/** Drawn people, a split of them, and how to train on it. */
export async function smallSplit(
  folder: string,
): Promise<Omit<TrainModelOptions, "out">> {
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

/** A folder's files by name, those below it too. */
export function bytesOf(folder: string): Record<string, string> {
  return Object.fromEntries(
    [...Deno.readDirSync(folder)].flatMap(({ name, isDirectory }) => {
      const path = join(folder, name);
      if (!isDirectory) return [[name, Deno.readFileSync(path).join()]];
      return Object.entries(bytesOf(path)).map(([below, bytes]) => [`${name}/${below}`, bytes]);
    }),
  );
}
