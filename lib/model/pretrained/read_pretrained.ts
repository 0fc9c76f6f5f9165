import { join } from "@std/path";
import { readPlainFile, readPlainText } from "../../files/plain_file.ts";
import {
  CONFIG_FILE,
  MAX_CONFIG_BYTES,
  MAX_WEIGHT_BYTES,
  MODEL_FILE,
  readModel,
} from "../checkpoint.ts";
import type { ModelConfig } from "../config.ts";
import { parseJsonObject } from "../../files/json_fields.ts";
import { parseSafetensors, type Weight } from "../safetensors.ts";

/** Weights to start from. */
export interface Pretrained {
  readonly weights: ReadonlyMap<string, Weight>;
  /** The file that they come from, for errors. */
  readonly file: string;
  /** What a model folder of Lethe's says about them; absent for published files. */
  readonly config?: ModelConfig;
}

/**
 * Reads weights as they are: a model folder of Lethe's, a folder as timm or Hugging Face publish it
 * (its `model.safetensors`; their `config.json` is not read), or a `.safetensors` file.
 *
 * @throws {LetheError} nothing is there, or it is damaged
 */
export async function readPretrained(path: string): Promise<Pretrained> {
  const isFolder = await Deno.stat(path).then(({ isDirectory }) => isDirectory, () => false);
  if (isFolder && await isModelFolder(path)) {
    const { config, theta } = await readModel(path);
    return { weights: theta, file: join(path, MODEL_FILE), config };
  }
  const file = isFolder ? join(path, MODEL_FILE) : path;
  const bytes = await readPlainFile(file, { maxBytes: MAX_WEIGHT_BYTES });
  return { weights: parseSafetensors(bytes, file).weights, file };
}

/** Whether a folder's config.json is Lethe's; damaged ones count, so that they are refused as such. */
async function isModelFolder(folder: string): Promise<boolean> {
  const path = join(folder, CONFIG_FILE);
  if (!await Deno.lstat(path).then(() => true, () => false)) return false;
  const text = await readPlainText(path, { maxBytes: MAX_CONFIG_BYTES });
  const { architecture, architectures, model_type } = parseJsonObject(text, path, "restore it");
  // timm's says e.g. "vit_base_patch16_224", transformers' has a list and a type.
  return architectures === undefined && model_type === undefined &&
    (architecture === undefined || architecture === "vit");
}
