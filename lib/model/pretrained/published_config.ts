import { LetheError } from "../../error.ts";
import { shown } from "../../files/json_fields.ts";

/** What a published `config.json` says beside the tensors; absent where it does not. */
export interface PublishedConfig {
  /** The file, for errors. */
  readonly file: string;
  readonly heads?: number;
  readonly layerNormEps?: number;
  /** Per channel, of pixels in [0, 1]. */
  readonly mean?: readonly number[];
  readonly std?: readonly number[];
  /** What the tensors say too, to be held against them. */
  readonly imageSize?: number;
  readonly patchSize?: number;
  readonly dim?: number;
  readonly depth?: number;
  /** Width of the MLPs. */
  readonly mlp?: number;
  /** Of the head. */
  readonly outputs?: number;
}

/** Arguments of timm's that add to the plain ViT, and some that take from it when they are false. */
const ADDITIONS = ["fc_norm", "no_embed_class", "pre_norm", "qk_norm", "init_values", "reg_tokens"];
const PARTS = ["class_token", "qkv_bias"];

type Json = Record<string, unknown>;

/** GELU by the error function, under the names that transformers and timm have for it. */
const EXACT_GELU = ["gelu", "gelu_python"];
/** Models under the same tensor names that compute something else. */
const OTHER_MODELS =
  /dinov2|siglip|clip|deit3|distill|eva|beit|swin|_gap_|so400m|registers|_reg\d/i;

/**
 * Reads a `config.json` as timm or Hugging Face transformers publish it, hostile like any file. What it
 * says of the computation and Lethe does not compute is refused; what it does not say stays open.
 *
 * @param config its object
 * @param preprocessor the object of a `preprocessor_config.json` beside it
 * @throws {LetheError} the model computes something else, or a field has no sense
 */
export function publishedConfig(config: Json, file: string, preprocessor?: Json): PublishedConfig {
  const isTimm = config.architecture !== undefined;
  const read = isTimm ? timmConfig(config, file) : transformersConfig(config, file);
  if (isTimm || preprocessor === undefined) return read;
  const { image_mean, image_std } = preprocessor;
  const of = reader(preprocessor, file.replace(/config\.json$/, "preprocessor_config.json"));
  return {
    ...read,
    ...(image_mean === undefined ? {} : { mean: of.channels("image_mean") }),
    ...(image_std === undefined ? {} : { std: of.channels("image_std") }),
  };
}

function transformersConfig(config: Json, file: string): PublishedConfig {
  const of = reader(config, file);
  const names = object(config.id2label);
  if (config.model_type !== undefined && config.model_type !== "vit") {
    throw otherModel(`${file}: model_type is ${shown(config.model_type)}`);
  }
  refuseActivation(config.hidden_act, `${file}: hidden_act`);
  if (config.qkv_bias === false) throw otherModel(`${file}: qkv_bias is false`);
  return {
    file,
    ...of.some("heads", "num_attention_heads", count),
    ...of.some("layerNormEps", "layer_norm_eps", small),
    ...of.some("imageSize", "image_size", count),
    ...of.some("patchSize", "patch_size", count),
    ...of.some("dim", "hidden_size", count),
    ...of.some("depth", "num_hidden_layers", count),
    ...of.some("mlp", "intermediate_size", count),
    ...(names ? { outputs: Object.keys(names).length } : of.some("outputs", "num_labels", orNone)),
  };
}

function timmConfig(config: Json, file: string): PublishedConfig {
  const given = object(config.model_args) ?? {};
  // Older files have what the weights expect at their top.
  const data: Json = { ...config, ...object(config.pretrained_cfg) };
  if (typeof config.architecture !== "string" || !/vit|deit/i.test(config.architecture)) {
    throw otherModel(`${file}: architecture is ${shown(config.architecture)}`);
  }
  for (const pool of [config.global_pool, given.global_pool]) {
    if (pool === undefined || pool === "token") continue;
    throw new LetheError(
      `${file}: global_pool is ${shown(pool)}`,
      "Lethe's head reads the CLS token, and this model's reads " +
        (pool === "avg" ? "the mean of the patches" : "something else"),
      "use a model with global_pool token, or train a new head on it with deno task train --init " +
        "once it has been saved so",
    );
  }
  if (OTHER_MODELS.test(config.architecture)) {
    throw otherModel(`${file}: architecture is ${shown(config.architecture)}`);
  }
  refuseActivation(given.act_layer, `${file}: act_layer`);
  const on = ADDITIONS.find((name) => ![undefined, null, false, 0].includes(given[name] as null));
  const off = PARTS.find((name) => given[name] === false);
  for (const name of [on, off]) {
    if (name) throw otherModel(`${file}: model_args.${name} is ${shown(given[name])}`);
  }
  const of = reader(given, `${file}: model_args`);
  const top = reader(data, file);
  return {
    file,
    ...of.some("heads", "num_heads", count),
    ...of.some("dim", "embed_dim", count),
    ...of.some("depth", "depth", count),
    ...of.some("patchSize", "patch_size", count),
    ...(given.embed_dim === undefined ? top.some("dim", "num_features", count) : {}),
    ...reader(config, file).some("outputs", "num_classes", orNone),
    ...(data.mean === undefined ? {} : { mean: top.channels("mean") }),
    ...(data.std === undefined ? {} : { std: top.channels("std") }),
  };
}

/** Reads fields that may be absent. */
function reader(config: Json, file: string) {
  const wrong = (name: string, rule: string) =>
    new LetheError(`${file}: ${name} is ${shown(config[name])}`, rule, "fetch the file again");
  return {
    some<Key extends string>(
      key: Key,
      name: string,
      { rule, accepts }: { rule: string; accepts: (value: number) => boolean },
    ): { [K in Key]?: number } {
      const value = config[name];
      if (value === undefined || value === null) return {};
      if (typeof value !== "number" || !accepts(value)) throw wrong(name, `it is ${rule}`);
      return { [key]: value } as { [K in Key]?: number };
    },
    channels(name: string): number[] {
      const value = config[name];
      const three = Array.isArray(value) && value.length === 3 &&
        value.every((channel) => typeof channel === "number" && Math.abs(channel) <= 255);
      const positive = three && (!/std/.test(name) || value.every((channel) => channel >= 1e-3));
      if (!positive) throw wrong(name, "it has a number for each of three channels");
      return value as number[];
    },
  };
}

const count = {
  rule: "a whole number from 1 to 8192",
  accepts: (value: number) => Number.isSafeInteger(value) && value >= 1 && value <= 8192,
};
const orNone = {
  rule: "a whole number from 0 to 65536",
  accepts: (value: number) => Number.isSafeInteger(value) && value >= 0 && value <= 65_536,
};
const small = {
  rule: "a number from 1e-12 to 0.01",
  accepts: (value: number) => value >= 1e-12 && value <= 1e-2,
};

function refuseActivation(activation: unknown, field: string): void {
  if (activation === undefined || activation === null) return;
  if (EXACT_GELU.includes(activation as string)) return;
  throw new LetheError(
    `${field} is ${shown(activation)}`,
    "Lethe computes the exact GELU",
    "use a model with gelu: with another function these weights mean nothing",
  );
}

function otherModel(value: string): LetheError {
  return new LetheError(
    value,
    "Lethe computes the plain ViT: CLS token, biases, exact GELU, no registers, no layer scale",
    "use such a model",
  );
}

function object(value: unknown): Json | undefined {
  return typeof value === "object" && value !== null && !Array.isArray(value)
    ? value as Json
    : undefined;
}
