import type { Task } from "../data/sample.ts";
import { LetheError } from "../error.ts";
import type { VitShape } from "./vit.ts";

/** All that is needed to run a model besides its weights: `config.json`. */
export interface ModelConfig extends VitShape {
  readonly architecture: "vit";
  /** Per channel, of pixels in [0, 1]: the input is (x - mean) / std. */
  readonly mean: readonly number[];
  readonly std: readonly number[];
  readonly task: Task;
  /** Label or class names, in the order of the logits. */
  readonly labels: readonly string[];
}

/** The size of a ViT, as a preset names it. */
export interface Preset extends VitShape {
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

/** Model sizes by name. */
export const PRESETS = {
  vit_demo_patch8_32: vit("this project: the demo, seconds per epoch on a CPU", 32, 8, 64, 3, 4),
  vit_mini_patch8_48: vit("this project: small images, minutes on a CPU", 48, 8, 96, 3, 4),
  vit_small_patch8_64: vit("this project: small images", 64, 8, 128, 4, 4),
  vit_tiny_patch16_224: vit("Touvron et al. 2021 (DeiT-Ti), timm", 224, 16, 192, 12, 3),
  vit_small_patch16_224: vit("Touvron et al. 2021 (DeiT-S), timm", 224, 16, 384, 12, 6),
  vit_base_patch16_224: vit("Dosovitskiy et al. 2021; the paper's model", 224, 16, 768, 12, 12),
} as const satisfies Record<string, Preset>;
/** A name of {@link PRESETS}. */
export type PresetName = keyof typeof PRESETS;

/** A config of a preset's size; pixels are scaled to [-1, 1] (mean and deviation 0.5, as released). */
export function presetConfig(
  { source: _, ...shape }: Preset,
  task: Task,
  labels: readonly string[],
): ModelConfig {
  const half = [0.5, 0.5, 0.5];
  return { architecture: "vit", ...shape, mean: half, std: half, task, labels };
}

/** Upper limits that keep a hostile config from asking for absurd allocations. */
const LIMITS = { imageSize: 4096, patchSize: 512, dim: 8192, depth: 128, heads: 128 } as const;
const MAX_LABELS = 65_536;

/**
 * Reads `config.json` as hostile input.
 *
 * @param file its name, for errors
 * @throws LetheError the field, its value and what it may be
 */
export function parseConfig(text: string, file: string): ModelConfig {
  const fail = (value: string, rule: string): never => {
    throw new LetheError(`${file}: ${value}`, rule, "restore the model's own config.json");
  };
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch {
    return fail("it is not JSON", "a config is a JSON object");
  }
  if (typeof parsed !== "object" || parsed === null || Array.isArray(parsed)) {
    return fail("it is not an object", "a config is a JSON object");
  }
  const config = parsed as Record<string, unknown>;
  if (config.architecture !== "vit") {
    fail(`architecture is ${JSON.stringify(config.architecture)}`, `Lethe knows "vit"`);
  }
  const size = (name: keyof typeof LIMITS): number => {
    const value = config[name];
    if (!Number.isInteger(value) || value as number < 1 || value as number > LIMITS[name]) {
      fail(`${name} is ${JSON.stringify(value)}`, `it is a whole number from 1 to ${LIMITS[name]}`);
    }
    return value as number;
  };
  const shape = {
    imageSize: size("imageSize"),
    patchSize: size("patchSize"),
    dim: size("dim"),
    depth: size("depth"),
    heads: size("heads"),
    layerNormEps: config.layerNormEps as number,
  };
  if (shape.imageSize % shape.patchSize !== 0) {
    fail(`imageSize ${shape.imageSize}`, `it is a multiple of patchSize ${shape.patchSize}`);
  }
  if (shape.dim % shape.heads !== 0) {
    fail(`dim ${shape.dim}`, `it is a multiple of heads ${shape.heads}`);
  }
  if (!(typeof shape.layerNormEps === "number" && shape.layerNormEps > 0)) {
    fail(`layerNormEps is ${JSON.stringify(shape.layerNormEps)}`, "it is a positive number");
  }
  const channels = (name: "mean" | "std"): number[] => {
    const value = config[name];
    const right = Array.isArray(value) && value.length === 3 &&
      value.every((x) => Number.isFinite(x) && (name === "mean" || x > 0));
    if (!right) fail(`${name} is ${JSON.stringify(value)}`, "it is three numbers, one per channel");
    return value as number[];
  };
  const { task, labels } = config;
  if (task !== "multi-label" && task !== "classes") {
    fail(`task is ${JSON.stringify(task)}`, `it is "multi-label" or "classes"`);
  }
  const named = Array.isArray(labels) && labels.length > 0 && labels.length <= MAX_LABELS &&
    labels.every((label) => typeof label === "string") && new Set(labels).size === labels.length;
  if (!named) fail("labels is not a list of different names", "it names each logit once");
  return {
    architecture: "vit",
    ...shape,
    mean: channels("mean"),
    std: channels("std"),
    task: task as Task,
    labels: labels as string[],
  };
}
