import { join } from "@std/path";
import { readPlainFile, readPlainText } from "../data/plain_file.ts";
import { buildFolder } from "../data/whole.ts";
import { LetheError } from "../error.ts";
import { type ModelConfig, parseConfig } from "./config.ts";
import { encodeSafetensors, parseSafetensors, type Weight } from "./safetensors.ts";

/** A model on the host. */
export interface Model {
  readonly config: ModelConfig;
  /** timm names to PyTorch-shaped weights. */
  readonly theta: ReadonlyMap<string, Weight>;
}

/** The two files of a model folder. */
export const MODEL_FILE = "model.safetensors";
export const CONFIG_FILE = "config.json";

const MAX_MODEL_BYTES = 8 * 2 ** 30;
const MAX_CONFIG_BYTES = 16 * 2 ** 20;

/** Names and shapes of theta, as timm's VisionTransformer has them. */
export function thetaShapes(config: ModelConfig): Map<string, number[]> {
  const { dim, depth, patchSize, imageSize, labels } = config;
  const shapes = new Map<string, number[]>([
    ["cls_token", [1, 1, dim]],
    ["pos_embed", [1, (imageSize / patchSize) ** 2 + 1, dim]],
    ["patch_embed.proj.weight", [dim, 3, patchSize, patchSize]],
    ["patch_embed.proj.bias", [dim]],
  ]);
  const norm = (name: string) => shapes.set(`${name}.weight`, [dim]).set(`${name}.bias`, [dim]);
  const affine = (name: string, from: number, to: number) =>
    shapes.set(`${name}.weight`, [to, from]).set(`${name}.bias`, [to]);
  for (let i = 0; i < depth; i++) {
    norm(`blocks.${i}.norm1`);
    affine(`blocks.${i}.attn.qkv`, dim, 3 * dim);
    affine(`blocks.${i}.attn.proj`, dim, dim);
    norm(`blocks.${i}.norm2`);
    affine(`blocks.${i}.mlp.fc1`, dim, 4 * dim);
    affine(`blocks.${i}.mlp.fc2`, 4 * dim, dim);
  }
  norm("norm");
  return affine("head", dim, labels.length);
}

/**
 * Holds weights against the names and shapes that are due.
 *
 * @param file for errors
 * @throws LetheError a tensor is missing, has another shape, or is one too many
 */
export function checkShapes(
  weights: ReadonlyMap<string, Weight>,
  due: ReadonlyMap<string, readonly number[]>,
  file: string,
): void {
  for (const [name, shape] of due) {
    const found = weights.get(name);
    if (!found) {
      throw new LetheError(
        `${file} lacks ${name}`,
        `config.json calls for it`,
        "use its own config",
      );
    }
    if (found.shape.join() !== shape.join() || !(found.values instanceof Float32Array)) {
      throw new LetheError(
        `${file}: ${name} is ${found.dtype} [${found.shape}]`,
        `config.json calls for floats [${shape}]`,
        "use the config that belongs to these weights",
      );
    }
  }
  const extra = [...weights.keys()].find((name) => !due.has(name));
  if (extra !== undefined) {
    throw new LetheError(
      `${file} has a tensor ${extra}`,
      "config.json calls for no such weight",
      "use the config that belongs to these weights",
    );
  }
}

/** Reads a model folder. @throws LetheError it is missing, damaged, or its two files do not match */
export async function readModel(folder: string): Promise<Model> {
  const configPath = join(folder, CONFIG_FILE);
  const config = parseConfig(
    await readPlainText(configPath, { maxBytes: MAX_CONFIG_BYTES }),
    configPath,
  );
  const path = join(folder, MODEL_FILE);
  const { weights } = parseSafetensors(
    await readPlainFile(path, { maxBytes: MAX_MODEL_BYTES }),
    path,
  );
  checkShapes(weights, thetaShapes(config), path);
  return { config, theta: weights };
}

/** The files of a model folder, by name. */
export function modelFiles({ config, theta }: Model): Map<string, Uint8Array> {
  const text = JSON.stringify(config, null, 2) + "\n";
  return new Map([
    [MODEL_FILE, encodeSafetensors(theta, { format: "pt" })],
    [CONFIG_FILE, new TextEncoder().encode(text)],
  ]);
}

/**
 * Writes a model folder, whole or not at all.
 *
 * @param more further files, e.g. the training history
 * @throws LetheError `folder` exists or cannot be written
 */
export async function writeModel(
  folder: string,
  model: Model,
  more: ReadonlyMap<string, Uint8Array> = new Map(),
): Promise<void> {
  await buildFolder(folder, async (staging) => {
    for (const [name, bytes] of [...modelFiles(model), ...more]) {
      await Deno.writeFile(join(staging, name), bytes);
    }
  });
}
