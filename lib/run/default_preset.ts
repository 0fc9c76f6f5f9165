import { join } from "@std/path";
import { decodeImage, MAX_IMAGE_BYTES } from "../data/images/decode_image.ts";
import type { Sample, Samples } from "../data/sample.ts";
import { samplesOf } from "../data/split.ts";
import { readPlainFile } from "../files/plain_file.ts";
import { type PresetName, PRESETS } from "../model/config.ts";
import type { SplitData } from "./split_data.ts";

/** Images that are looked at, spread over the training images. */
const SEEN = 16;
/** Training images from which on a ViT of 64 pixels has more to learn from than it can learn by heart. */
const MANY = 2000;

/**
 * The size of ViT for a data set where nobody names one: the largest of those that train from scratch whose
 * images are no larger than most of the data set's, and the 64 pixel one only where there are many images.
 *
 * @returns its name and, for people, why
 * @throws {LetheError} an image that is looked at is missing or does not decode
 */
export async function defaultPreset(
  { split, dataset }: SplitData,
): Promise<{ preset: PresetName; why: string }> {
  const samples = samplesOf(split, dataset, "train");
  const step = Math.max(1, Math.floor(samples.length / SEEN));
  const sides: number[] = [];
  for (const { file } of firsts(samples, step)) {
    const path = join(dataset.root, file);
    const bytes = await readPlainFile(path, { maxBytes: MAX_IMAGE_BYTES });
    const { width, height } = decodeImage(bytes, path);
    sides.push(Math.min(width, height));
  }
  const side = sides.sort((a, b) => a - b)[sides.length >> 1];
  return {
    preset: presetFor(side, samples.length),
    why: `${samples.length} training images, mostly of ${side} pixels`,
  };
}

/** Every so manieth sample, {@link SEEN} at most. */
function firsts(samples: Samples, step: number): Sample[] {
  const count = Math.min(SEEN, Math.ceil(samples.length / step));
  return Array.from({ length: count }, (_, i) => samples.at(i * step)!);
}

/** As {@link defaultPreset} decides. @param side the images' smaller side in pixels, as most have it */
export function presetFor(side: number, images: number): PresetName {
  if (side >= 64 && images >= MANY) return "vit_small_patch8_64";
  return side >= 48 ? "vit_mini_patch8_48" : "vit_demo_patch8_32";
}

/**
 * The size of ViT that weights are of.
 *
 * @param weights by timm's or Hugging Face's names
 * @returns undefined where it is none of {@link PRESETS}
 */
export function presetOfWeights(
  weights: ReadonlyMap<string, { readonly shape: readonly number[] }>,
): PresetName | undefined {
  const names = [...weights.keys()];
  const kernel = names.find((name) => /(?:patch_embed\.proj|projection)\.weight$/.test(name));
  const [dim, , patchSize] = weights.get(kernel ?? "")?.shape ?? [];
  const depth = 1 + Math.max(
    -1,
    ...names.map((name) => Number(/(?:^|\.)(?:blocks|layer)\.(\d+)\./.exec(name)?.[1] ?? -1)),
  );
  return (Object.keys(PRESETS) as PresetName[]).find((name) => {
    const preset = PRESETS[name];
    return preset.dim === dim && preset.patchSize === patchSize && preset.depth === depth;
  });
}
