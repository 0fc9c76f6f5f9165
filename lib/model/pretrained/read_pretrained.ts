import { basename, dirname, join } from "@std/path";
import { LetheError } from "../../error.ts";
import { listFolder } from "../../files/list_folder.ts";
import { readPlainFile, readPlainText } from "../../files/plain_file.ts";
import {
  CONFIG_FILE,
  MAX_CONFIG_BYTES,
  MAX_WEIGHT_BYTES,
  MODEL_FILE,
  readModel,
} from "../checkpoint.ts";
import type { ModelConfig } from "../config.ts";
import { parseJsonObject, shown } from "../../files/json_fields.ts";
import { parseSafetensors, type Weight } from "../safetensors.ts";
import { type PublishedConfig, publishedConfig } from "./published_config.ts";
import { withoutPrefix } from "./prefix.ts";
import { refuseOtherFormats } from "./unreadable_weights.ts";

const INDEX_FILE = "model.safetensors.index.json";

/** Weights to start from. */
export interface Pretrained {
  readonly weights: ReadonlyMap<string, Weight>;
  /** The file that they come from, for errors. */
  readonly file: string;
  /** What a model folder of Lethe's says about them; absent for published files. */
  readonly config?: ModelConfig;
  /** What the config.json of timm's or transformers' says that lies beside them. */
  readonly published?: PublishedConfig;
}

/**
 * Reads weights as they are: a model folder of Lethe's, a folder as timm or Hugging Face publish it
 * (its `model.safetensors`, whole or in shards, with their `config.json`), or a `.safetensors` file, with
 * the `config.json` that lies beside a `model.safetensors`.
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
  const folder = isFolder ? path : basename(path) === MODEL_FILE ? dirname(path) : null;
  if (isFolder) await refuseFolderWithout(path);
  else refuseOtherFormats(path);
  const weights = isFolder && !await exists(file)
    ? await readShards(path)
    : path.endsWith(".index.json")
    ? await readShards(dirname(path))
    : parseSafetensors(await readPlainFile(file, { maxBytes: MAX_WEIGHT_BYTES }), file).weights;
  const published = folder === null ? undefined : await readPublishedConfig(folder);
  return { weights: withoutPrefix(weights, file), file, ...(published ? { published } : {}) };
}

/** A folder without weights that are read, but with others: those are refused by their own name. */
async function refuseFolderWithout(folder: string): Promise<void> {
  const names = (await listFolder(folder, "it holds a model")).map(({ name }) => name).sort();
  if (names.includes(MODEL_FILE) || names.includes(INDEX_FILE)) return;
  for (const name of names) refuseOtherFormats(join(folder, name));
  const single = names.filter((name) => name.endsWith(".safetensors"));
  throw new LetheError(
    `${folder} holds no ${MODEL_FILE}`,
    "a model's folder has it, or model.safetensors.index.json beside its shards",
    single.length === 1 ? `name ${join(folder, single[0])} itself` : "check the path",
  );
}

/** The tensors of `model.safetensors.index.json`, from the files that it names. */
async function readShards(folder: string): Promise<Map<string, Weight>> {
  const path = join(folder, INDEX_FILE);
  const remedy = "fetch the files again";
  const text = await readPlainText(path, { maxBytes: MAX_CONFIG_BYTES });
  const map = parseJsonObject(text, path, remedy).weight_map;
  const valid = typeof map === "object" && map !== null &&
    Object.values(map).every((file) =>
      typeof file === "string" && /^[\w.-]{1,255}\.safetensors$/.test(file)
    );
  if (!valid) {
    throw new LetheError(`${path} has no weight_map`, "it names the shard of each tensor", remedy);
  }
  const shardOf = new Map(Object.entries(map as Record<string, string>));
  const weights = new Map<string, Weight>();
  for (const shard of new Set(shardOf.values())) {
    const file = join(folder, shard);
    const bytes = await readPlainFile(file, { maxBytes: MAX_WEIGHT_BYTES, remedy });
    const found = parseSafetensors(bytes, file).weights;
    for (const [name, due] of shardOf) {
      if (due !== shard) continue;
      const weight = found.get(name);
      if (!weight) {
        throw new LetheError(`${file} lacks ${shown(name)}`, `${INDEX_FILE} has it there`, remedy);
      }
      weights.set(name, weight);
    }
  }
  return weights;
}

async function readPublishedConfig(folder: string): Promise<PublishedConfig | undefined> {
  const read = async (name: string) => {
    const path = join(folder, name);
    if (!await exists(path)) return undefined;
    const text = await readPlainText(path, { maxBytes: MAX_CONFIG_BYTES });
    return parseJsonObject(text, path, "fetch the file again");
  };
  const config = await read(CONFIG_FILE);
  if (!config) return undefined;
  const preprocessor = await read("preprocessor_config.json");
  return publishedConfig(config, join(folder, CONFIG_FILE), preprocessor);
}

function exists(path: string): Promise<boolean> {
  return Deno.lstat(path).then(() => true, () => false);
}

/** Whether a folder's config.json is Lethe's; damaged ones count, so that they are refused as such. */
async function isModelFolder(folder: string): Promise<boolean> {
  const path = join(folder, CONFIG_FILE);
  if (!await exists(path)) return false;
  const text = await readPlainText(path, { maxBytes: MAX_CONFIG_BYTES });
  const { architecture, architectures, model_type } = parseJsonObject(text, path, "restore it");
  // timm's says e.g. "vit_base_patch16_224", transformers' has a list and a type.
  return architectures === undefined && model_type === undefined &&
    (architecture === undefined || architecture === "vit");
}
