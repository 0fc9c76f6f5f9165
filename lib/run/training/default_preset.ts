import { join } from "@std/path";
import { decodeImage, MAX_IMAGE_BYTES } from "../../data/images/decode_image.ts";
import type { Sample, Samples } from "../../data/sample.ts";
import { checkHash, MISSING_IMAGE } from "../../data/loader/image_loader.ts";
import { samplesOf } from "../../data/split.ts";
import { readPlainFile } from "../../files/plain_file.ts";
import { type PresetName, PRESETS } from "../../model/config.ts";
import { hashOf, type SplitData } from "../split_data.ts";

/** Images that are looked at, spread over the training images. */
const SEEN = 16;
/** Training images from which on a ViT of 64 pixels has more to learn from than it can learn by heart. */
const MANY = 2000;

/** What a size of ViT and a recipe are chosen by. */
export interface DataSize {
  /** The images' smaller side in pixels, as most have it. */
  readonly side: number;
  /** Training images. */
  readonly images: number;
  /** Both, for people. */
  readonly why: string;
}

/**
 * How many training images there are, and how large most of them are.
 *
 * @param withoutForget whether those of the people to forget are left out: the words say so, while size and
 *   number stay those of the whole part, by which the model was chosen that the oracle is held against
 * @throws {LetheError} an image that is looked at is missing, has changed or does not decode
 */
export async function dataSize(
  data: SplitData,
  withoutForget = false,
): Promise<DataSize> {
  const { split, dataset } = data;
  const samples = samplesOf(split, dataset, "train");
  const step = Math.max(1, Math.floor(samples.length / SEEN));
  const sides: number[] = [];
  for (const sample of firsts(samples, step)) {
    const path = join(dataset.root, sample.file);
    const bytes = await readPlainFile(path, { maxBytes: MAX_IMAGE_BYTES, remedy: MISSING_IMAGE });
    checkHash(path, bytes, hashOf(data, sample));
    const { width, height } = decodeImage(bytes, path);
    sides.push(Math.min(width, height));
  }
  const side = sides.sort((a, b) => a - b)[sides.length >> 1];
  const images = samples.length;
  const used = withoutForget ? samplesOf(split, dataset, "retain").length : images;
  const rest = withoutForget ? ` (${images} with the people to forget)` : "";
  return { side, images, why: `${used} training images${rest}, mostly of ${side} pixels` };
}

/** Every so manieth sample, {@link SEEN} at most. */
function firsts(samples: Samples, step: number): Sample[] {
  const count = Math.min(SEEN, Math.ceil(samples.length / step));
  return Array.from({ length: count }, (_, i) => samples.at(i * step)!);
}

/**
 * The size of ViT where nobody names one: the largest of those that train from scratch whose images are no
 * larger than most of the data set's, and the 64 pixel one only where there are many images.
 */
export function presetFor({ side, images }: Pick<DataSize, "side" | "images">): PresetName {
  if (side >= 64 && images >= MANY) return "vit_small_patch8_64";
  return side >= 48 ? "vit_mini_patch8_48" : "vit_demo_patch8_32";
}

/** How to train from scratch where nobody says: with cuts only where there are many images, large enough. */
export function recipeFor({ side, images }: Pick<DataSize, "side" | "images">): string {
  return side >= 48 && images >= MANY ? "photos-from-scratch" : "few-images-from-scratch";
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
