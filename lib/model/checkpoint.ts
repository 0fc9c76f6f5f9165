import { join } from "@std/path";
import { readPlainFile, readPlainText } from "../files/plain_file.ts";
import { buildFolder } from "../files/write_whole.ts";
import { LetheError } from "../error.ts";
import type { KernelChoice } from "../tensor/kernels/autotune/kernel_choice.ts";
import { configText, type ModelConfig, parseConfig, requireConfigText } from "./config.ts";
import { shown } from "../files/json_fields.ts";
import { parseKernelChoice } from "./kernel_record.ts";
import { requireCanonical } from "./encode_safetensors.ts";
import { parseSafetensors, type Weight } from "./safetensors.ts";
import { thetaShapes } from "./theta_shapes.ts";
import { writeSafetensors } from "./write_safetensors.ts";

/** A model on the host. */
export interface Model {
  /** What the network is and predicts. */
  readonly config: ModelConfig;
  /** timm names to PyTorch-shaped weights. */
  readonly theta: ReadonlyMap<string, Weight>;
  /** Kernels that it was computed with: metadata `kernels` of the weights' file; absent on WASM. */
  readonly kernels?: KernelChoice;
}

/** The weights of a model folder. */
export const MODEL_FILE = "model.safetensors";
/** Its {@link ModelConfig}. */
export const CONFIG_FILE = "config.json";

/** Largest file of weights that is read, bytes: ViT-B takes a twentieth. */
export const MAX_WEIGHT_BYTES = 8 * 2 ** 30;
/** Label names take the most. */
export const MAX_CONFIG_BYTES = 16 * 2 ** 20;

/**
 * Holds weights against the names and shapes that are due, and looks for values that are not finite
 * (what a diverged run leaves).
 *
 * @param file for errors
 * @throws {LetheError} a tensor is missing, has another shape, is one too many or not finite
 */
export function checkWeights(
  weights: ReadonlyMap<string, Weight>,
  due: ReadonlyMap<string, readonly number[]>,
  file: string,
  remedy = "use the settings that belong to these weights, unchanged",
): void {
  for (const [name, shape] of due) {
    const found = weights.get(name);
    if (!found) {
      throw new LetheError(
        `${file} lacks the tensor ${name}`,
        `the model's settings call for it, with shape [${shape}]`,
        remedy,
      );
    }
    if (found.shape.join() !== shape.join() || !(found.values instanceof Float32Array)) {
      throw new LetheError(
        `${file}: tensor ${name} is ${found.dtype} of shape [${found.shape}]`,
        `the model's settings call for floats of shape [${shape}]`,
        remedy,
      );
    }
    if (!found.values.every(Number.isFinite)) {
      throw new LetheError(
        `${file}: tensor ${name} holds ${found.values.find((value) => !Number.isFinite(value))}`,
        "weights are finite numbers",
        "repeat the run that made it with a smaller learning rate",
      );
    }
  }
  const extra = [...weights.keys()].find((name) => !due.has(name));
  if (extra === undefined) return;
  throw new LetheError(
    `${file} has a tensor ${shown(extra)}`,
    "the model's settings call for no such tensor",
    remedy,
  );
}

/**
 * Reads a model folder. Other files may lie in it.
 *
 * @throws {LetheError} it is missing, damaged, or its two files do not match
 */
export async function readModel(folder: string): Promise<Model> {
  const configPath = join(folder, CONFIG_FILE);
  const remedy = await nearbyModel(folder);
  const text = await readPlainText(configPath, {
    maxBytes: MAX_CONFIG_BYTES,
    ...(remedy === null ? {} : { remedy }),
  });
  const config = parseConfig(text, configPath);
  requireConfigText(config, text, configPath);
  const path = join(folder, MODEL_FILE);
  return modelOf(config, await readPlainFile(path, { maxBytes: MAX_WEIGHT_BYTES }), path);
}

/** Which folder is likely meant where this one is an output of `unlearn`'s; null where it is a model. */
async function nearbyModel(folder: string): Promise<string | null> {
  const isThere = (...names: string[]) =>
    Deno.lstat(join(folder, ...names)).then(() => true, () => false);
  if (await isThere(CONFIG_FILE) || !await isThere("model", CONFIG_FILE)) return null;
  return `did you mean ${join(folder, "model")}?`;
}

/** Names that a model file's `__metadata__` may hold. */
export const MODEL_METADATA = ["format", "kernels"] as const;

/**
 * A model from its config and the content of its weights' file.
 *
 * @throws {LetheError} as {@link readModel}
 */
export function modelOf(config: ModelConfig, bytes: Uint8Array, path: string): Model {
  const parsed = parseSafetensors(bytes, path);
  const { weights: theta, metadata } = parsed;
  checkWeights(theta, thetaShapes(config, config.labels.length), path);
  requireCanonical(bytes, parsed, path, MODEL_METADATA);
  if (Object.hasOwn(metadata, "format") && metadata.format !== "pt") {
    throw new LetheError(
      `${path}: __metadata__ has the format ${shown(metadata.format)}`,
      'it is "pt"',
      "write the model anew with `deno task import`",
    );
  }
  return Object.hasOwn(metadata, "kernels")
    ? { config, theta, kernels: parseKernelChoice(metadata.kernels, path) }
    : { config, theta };
}

/** The `__metadata__` of a model's weights. */
export function modelMetadata({ kernels }: Pick<Model, "kernels">): Record<string, string> {
  return { format: "pt", ...(kernels ? { kernels: JSON.stringify(kernels) } : {}) };
}

/**
 * Writes a model folder, whole or not at all.
 *
 * @param more further files, e.g. the training history
 * @returns SHA-256 and size of the weights' file
 * @throws {LetheError} `folder` exists or cannot be written, or the weights do not fit the config
 */
export async function writeModel(
  folder: string,
  model: Model,
  more: ReadonlyMap<string, Uint8Array> = new Map(),
): Promise<{ sha256: string; bytes: number }> {
  const { config, theta } = model;
  checkWeights(theta, thetaShapes(config, config.labels.length), join(folder, MODEL_FILE));
  return await buildFolder(folder, async (staging) => {
    const written = await writeSafetensors(
      [join(staging, MODEL_FILE)],
      theta,
      modelMetadata(model),
    );
    await Deno.writeTextFile(join(staging, CONFIG_FILE), configText(config));
    for (const [name, bytes] of more) await Deno.writeFile(join(staging, name), bytes);
    return written;
  });
}
