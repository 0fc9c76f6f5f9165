import { fromFileUrl, join } from "@std/path";

const KIT = fromFileUrl(new URL("../../fixtures/kit", import.meta.url));

/** The model that the sample kit was made from, which lies within the kit alone, as a folder of its own. */
export async function sampleModel(folder: string): Promise<string> {
  const model = join(folder, "sample-model");
  await Deno.mkdir(model);
  for (const name of ["config.json", "model.safetensors"]) {
    await Deno.copyFile(join(KIT, name), join(model, name));
  }
  return model;
}
