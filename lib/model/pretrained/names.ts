import { LetheError } from "../../error.ts";
import type { Weight } from "../safetensors.ts";

/**
 * Names of a ViT's tensors: timm's (which Lethe keeps) and those of Hugging Face transformers, where
 * `*` stands for the block's number. Several names on the right are laid one below the other.
 * transformers' own names may be preceded by `vit.`.
 */
export const TENSOR_NAMES: readonly (readonly [timm: string, transformers: readonly string[]])[] = [
  ["cls_token", ["embeddings.cls_token"]],
  ["pos_embed", ["embeddings.position_embeddings"]],
  ...affine("patch_embed.proj", ["embeddings.patch_embeddings.projection"]),
  ...affine("blocks.*.norm1", ["encoder.layer.*.layernorm_before"]),
  ...affine("blocks.*.attn.qkv", [
    "encoder.layer.*.attention.attention.query",
    "encoder.layer.*.attention.attention.key",
    "encoder.layer.*.attention.attention.value",
  ]),
  ...affine("blocks.*.attn.proj", ["encoder.layer.*.attention.output.dense"]),
  ...affine("blocks.*.norm2", ["encoder.layer.*.layernorm_after"]),
  ...affine("blocks.*.mlp.fc1", ["encoder.layer.*.intermediate.dense"]),
  ...affine("blocks.*.mlp.fc2", ["encoder.layer.*.output.dense"]),
  ...affine("norm", ["layernorm"]),
  ...affine("head", ["classifier"]),
];

/** Tensors of published files that a classifier on the CLS token does not use. */
const UNUSED = /^(vit\.)?(pooler\.dense|pre_logits\.fc)\.(weight|bias)$/;

function affine(timm: string, transformers: readonly string[]): [string, string[]][] {
  return ["weight", "bias"].map((
    part,
  ) => [`${timm}.${part}`, transformers.map((name) => `${name}.${part}`)]);
}

/** Whether a file's tensors carry transformers' names. */
export function hasTransformersNames(weights: ReadonlyMap<string, Weight>): boolean {
  return weights.has("vit.embeddings.cls_token") || weights.has("embeddings.cls_token");
}

/**
 * A published file's tensors under timm's names; what is under timm's names already stays. Query, key
 * and value become one tensor [3 dim, ...]. Tensors that nobody asks for keep their names, so that
 * whoever checks the weights refuses them.
 *
 * @param file for errors
 * @returns the tensors share memory with `weights`, joined ones apart
 * @throws {LetheError} one of query, key and value is missing or they differ in shape
 */
export function timmNames(
  weights: ReadonlyMap<string, Weight>,
  file: string,
): Map<string, Weight> {
  const left = new Map([...weights].filter(([name]) => !UNUSED.test(name)));
  if (!hasTransformersNames(weights)) return left;
  const named = new Map<string, Weight>();
  const prefix = weights.has("vit.embeddings.cls_token") ? "vit." : "";
  for (const [timm, transformers] of TENSOR_NAMES) {
    for (const block of timm.includes("*") ? blocksOf(left, prefix) : [""]) {
      const sources = transformers.map((name) =>
        (name.startsWith("classifier.") ? "" : prefix) + name.replace("*", block)
      );
      const found = sources.filter((name) => left.has(name));
      if (found.length === 0) continue;
      named.set(
        timm.replace("*", block),
        joined(found.map((name) => left.get(name)!), sources, file),
      );
      for (const name of found) left.delete(name);
    }
  }
  return new Map([...named, ...left]);
}

/** Numbers of the blocks that the file has. */
function blocksOf(weights: ReadonlyMap<string, Weight>, prefix: string): Set<string> {
  const start = `${prefix}encoder.layer.`;
  return new Set(
    [...weights.keys()].filter((name) => name.startsWith(start))
      .map((name) => name.slice(start.length).split(".")[0]),
  );
}

/** Tensors of one shape [n, ...] below each other: [k n, ...]. */
function joined(parts: readonly Weight[], names: readonly string[], file: string): Weight {
  const [first] = parts;
  const alike = parts.length === names.length &&
    parts.every(({ shape, values }) =>
      shape.join() === first.shape.join() && values instanceof Float32Array
    );
  if (!alike) {
    throw new LetheError(
      `${file}: ${names.join(", ")} do not go together`,
      "they are floats of one shape",
      "fetch the file again",
    );
  }
  if (parts.length === 1) return first;
  const size = first.values.length;
  const values = new Float32Array(size * parts.length);
  parts.forEach((part, i) => values.set(part.values, i * size));
  const [rows = 1, ...rest] = first.shape;
  return { dtype: "F32", shape: [rows * parts.length, ...rest], values };
}
