import { assert, assertEquals } from "@std/assert";
import { join } from "@std/path";
import { initialVit } from "../../lib/model/initial_vit.ts";
import { PRESETS } from "../../lib/model/config.ts";
import { TRAINING_RECIPES } from "../../lib/model/recipes.ts";
import { Random } from "../../lib/random.ts";
import { openDevice } from "../../lib/tensor/device.ts";
import {
  dataSize,
  presetFor,
  presetOfWeights,
  recipeFor,
} from "../../lib/run/training/default_preset.ts";
import { splitDataset } from "../../lib/run/split_dataset.ts";
import { openSplit } from "../../lib/run/split_data.ts";
import { disposeWeights } from "../../lib/tensor/weights.ts";
import { encodePng } from "../../lib/data/images/encode_png.ts";
import { inTemporaryFolder, writeFiles } from "../data/temporary_folder.ts";

Deno.test("presetFor takes no ViT that is larger than the images, nor the 64 pixel one for few images", () => {
  const cases = [
    [8, 9, "vit_demo_patch8_32"],
    [47, 1e6, "vit_demo_patch8_32"],
    [48, 9, "vit_mini_patch8_48"],
    [218, 1999, "vit_mini_patch8_48"],
    [63, 2000, "vit_mini_patch8_48"],
    [64, 2000, "vit_small_patch8_64"],
    [1024, 2e5, "vit_small_patch8_64"],
  ] as const;
  for (const [side, images, due] of cases) assertEquals(presetFor({ side, images }), due);
});

Deno.test("recipeFor takes cuts only of many images that are large enough", () => {
  const [few, photos] = ["few-images-from-scratch", "photos-from-scratch"];
  const cases = [[32, 1e6, few], [47, 2000, few], [48, 1999, few], [48, 2000, photos]] as const;
  for (const [side, images, due] of cases) assertEquals(recipeFor({ side, images }), due);
  for (const name of [few, photos]) assert(TRAINING_RECIPES.some((recipe) => recipe.name === name));
});

Deno.test("presetOfWeights knows a preset by its weights, by timm's names and by Hugging Face's", async () => {
  await openDevice("wasm");
  for (const name of ["vit_demo_patch8_32", "vit_mini_patch8_48", "vit_small_patch8_64"] as const) {
    const theta = initialVit(PRESETS[name], 3, new Random(0, "x"));
    const weights = new Map(Object.entries(theta));
    assertEquals(presetOfWeights(weights), name);
    disposeWeights(theta);
  }
  const published = new Map([
    ["vit.embeddings.patch_embeddings.projection.weight", { shape: [768, 3, 16, 16] }],
    ["vit.encoder.layer.11.output.dense.weight", { shape: [768, 3072] }],
  ]);
  assertEquals(presetOfWeights(published), "vit_base_patch16_224");
  published.set("vit.encoder.layer.12.output.dense.weight", { shape: [768, 3072] });
  assertEquals(presetOfWeights(published), undefined);
  assertEquals(presetOfWeights(new Map()), undefined);
});

Deno.test("dataSize looks at the training images, and says what it saw", () =>
  inTemporaryFolder(async (folder) => {
    const image = (i: number) =>
      encodePng({ width: 60, height: 50, rgb: new Uint8Array(3 * 60 * 50).fill(i) });
    const files = Array.from(
      { length: 40 },
      (_, i) => ({ name: `${i}.png`, person: `p${i % 10}` }),
    );
    await writeFiles(join(folder, "data"), {
      ...Object.fromEntries(files.map(({ name }, i) => [name, image(i)])),
      "labels.csv": "file,identity,Hat\n" +
        files.map(({ name, person }, i) => `${name},${person},${i % 2}\n`).join(""),
    });
    const [data, out] = [join(folder, "data"), join(folder, "split.json")];
    const made = { dataset: "folder", data, out, forget: 2, seed: 0, check: false } as const;
    await splitDataset(made);
    const { side, images, why } = await dataSize(await openSplit(out, data));
    assertEquals([side, why], [50, `${images} training images, mostly of 50 pixels`]);
    assert(images > 10 && images < 40);
    // Two people of four images less; the support image of each is no training image.
    const oracle = await dataSize(await openSplit(out, data), true);
    assertEquals([oracle.side, oracle.images], [side, images], "the same model is chosen");
    assertEquals(
      oracle.why,
      `${images - 6} training images (${images} with the people to forget), mostly of 50 pixels`,
    );
  }));
