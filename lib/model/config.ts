import { INPUT_VERSION, type InputVersion } from "../data/images/stored_form.ts";
import { LetheError } from "../error.ts";
import type { Task } from "../data/sample.ts";
import { JsonFields, parseJsonObject } from "../files/json_fields.ts";
import * as is from "../files/json_kinds.ts";
import type { VitShape } from "./vit.ts";

/** All that is needed to run a model besides its weights: `config.json`. */
export interface ModelConfig extends VitShape {
  /** The only one there is. */
  readonly architecture: "vit";
  /** Per channel, of pixels in [0, 1]: the input is (x - mean) / std. */
  readonly mean: readonly number[];
  /** Per channel, of pixels in [0, 1]. */
  readonly std: readonly number[];
  /** What the model predicts. */
  readonly task: Task;
  /** Label or class names, in the order of the logits. */
  readonly labels: readonly string[];
  /** How files become its pixels; 1 where it is absent, as in the first models. */
  readonly inputVersion?: InputVersion;
}

/** The size of a ViT, as a preset names it. */
export interface Preset extends VitShape {
  /** Where the preset comes from. */
  readonly source: string;
}

const vit = (
  source: string,
  imageSize: number,
  patchSize: number,
  dim: number,
  depth: number,
  heads: number,
): Preset => ({ source, imageSize, patchSize, dim, depth, heads, layerNormEps: 1e-6 });

/** A name of {@link PRESETS}. */
export type PresetName =
  | "vit_demo_patch8_32"
  | "vit_mini_patch8_48"
  | "vit_small_patch8_64"
  | "vit_tiny_patch16_224"
  | "vit_small_patch16_224"
  | "vit_base_patch16_224";

/** Model sizes by name. */
export const PRESETS: Readonly<Record<PresetName, Preset>> = {
  vit_demo_patch8_32: vit("this project: the demo, seconds per epoch on a CPU", 32, 8, 96, 2, 4),
  vit_mini_patch8_48: vit("this project: small images, minutes on a CPU", 48, 8, 96, 3, 4),
  vit_small_patch8_64: vit("this project: small images", 64, 8, 128, 4, 4),
  vit_tiny_patch16_224: vit("Touvron et al. 2021 (DeiT-Ti), timm", 224, 16, 192, 12, 3),
  vit_small_patch16_224: vit("Touvron et al. 2021 (DeiT-S), timm", 224, 16, 384, 12, 6),
  vit_base_patch16_224: vit("Dosovitskiy et al. 2021; the paper's model", 224, 16, 768, 12, 12),
};

/** A config of a preset's size; pixels are scaled to [-1, 1] (mean and deviation 0.5, as released). */
export function presetConfig(
  { source: _, ...shape }: Preset,
  task: Task,
  labels: readonly string[],
): ModelConfig {
  const half = [0.5, 0.5, 0.5];
  const inputVersion = INPUT_VERSION;
  return { architecture: "vit", ...shape, mean: half, std: half, task, labels, inputVersion };
}

/** Upper limits that keep a hostile config from asking for absurd allocations. */
const LIMITS = { imageSize: 4096, patchSize: 512, dim: 8192, depth: 128, heads: 128 } as const;
/** Patches of an image; 196 in the paper's model. Attention grows with the square. */
const MAX_PATCHES = 4096;
const MAX_LABELS = 65_536;

/**
 * Reads `config.json` as hostile input.
 *
 * @param file its name, for errors
 * @throws {LetheError} the field, its value and what it may be
 */
export function parseConfig(text: string, file: string): ModelConfig {
  const remedy = "restore the model's own config.json";
  const fields = new JsonFields(parseJsonObject(text, file, remedy), file, remedy);
  const size = (name: keyof typeof LIMITS) => fields.read(name, is.integer(1, LIMITS[name]));
  const config: ModelConfig = {
    architecture: fields.read("architecture", is.oneOf(["vit"])),
    imageSize: size("imageSize"),
    patchSize: size("patchSize"),
    dim: size("dim"),
    depth: size("depth"),
    heads: size("heads"),
    layerNormEps: fields.read("layerNormEps", is.real(1e-12, 1e-2)),
    mean: fields.read("mean", is.list(is.real(-255, 255), 3, 3)),
    std: fields.read("std", is.list(is.real(1e-3, 255), 3, 3)),
    task: fields.read("task", is.oneOf(["multi-label", "classes"])),
    labels: fields.read("labels", is.list(is.line(256), 1, MAX_LABELS, { distinct: true })),
  };
  const inputVersion = fields.optional("inputVersion", is.integer(1, INPUT_VERSION));
  fields.end();
  const { imageSize, patchSize, dim, heads } = config;
  if (imageSize % patchSize !== 0) {
    fields.refuse(`imageSize is ${imageSize}`, `it is a multiple of patchSize, ${patchSize}`);
  }
  const patches = (imageSize / patchSize) ** 2;
  if (patches > MAX_PATCHES) {
    fields.refuse(
      `imageSize ${imageSize} and patchSize ${patchSize} make ${patches} patches`,
      `an image has at most ${MAX_PATCHES}`,
    );
  }
  if (dim % heads !== 0) fields.refuse(`dim is ${dim}`, `it is a multiple of heads, ${heads}`);
  return inputVersion === undefined
    ? config
    : { ...config, inputVersion: inputVersion as InputVersion };
}

/** The one text of `config.json`. */
export function configText(config: ModelConfig): string {
  const { architecture, imageSize, patchSize, dim, depth, heads, layerNormEps } = config;
  const { mean, std, task, labels, inputVersion } = config;
  const shape = { architecture, imageSize, patchSize, dim, depth, heads, layerNormEps };
  const version = inputVersion === undefined ? {} : { inputVersion };
  return JSON.stringify({ ...shape, mean, std, task, labels, ...version }, null, 2) + "\n";
}

/** @throws {LetheError} the text is not the one that Lethe writes of this config: it carries something */
export function requireConfigText(config: ModelConfig, text: string, file: string): void {
  if (text === configText(config)) return;
  throw new LetheError(
    `${file} has spaces, fields or numbers as Lethe does not write them`,
    "a model's settings have one text, so that nothing hides in it",
    "write the model anew with `deno task import`",
  );
}
