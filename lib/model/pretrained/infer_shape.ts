import { LetheError } from "../../error.ts";
import type { Weight } from "../safetensors.ts";
import type { VitShape } from "../vit.ts";
import type { PublishedConfig } from "./published_config.ts";
import { refuseForeignTensors } from "./foreign_tensors.ts";
import { hasTransformersNames, timmNames } from "./names.ts";

/** The width of a head in every published ViT. */
const HEAD_WIDTH = 64;

/**
 * The shape of a ViT from its tensors. The number of heads is in no tensor: published ViTs have dim / 64
 * of them. LayerNorm's epsilon is timm's (1e-6), or transformers' (1e-12) under its names. What the
 * published config.json says goes before both, and is held against the tensors.
 *
 * @param heads where they are named on the command line
 * @throws {LetheError} the tensors are no plain ViT's, or the config.json says otherwise
 */
export function inferShape(
  weights: ReadonlyMap<string, Weight>,
  file: string,
  heads?: number,
  published?: PublishedConfig,
): VitShape & { readonly labels: number | null } {
  refuseForeignTensors(weights.keys(), file);
  const theta = timmNames(weights, file);
  const [dim, channels, patchSize, patchWidth] = theta.get("patch_embed.proj.weight")?.shape ?? [];
  const rows = theta.get("pos_embed")?.shape[1] ?? 0;
  const side = Math.sqrt(rows - 1);
  let depth = 0;
  while (theta.has(`blocks.${depth}.norm1.weight`)) depth++;
  if (!(depth > 0 && channels === 3 && patchSize === patchWidth && Number.isInteger(side))) {
    throw new LetheError(
      `${file} has ${depth} blocks, ${rows} positions and patches of [${[
        channels,
        patchSize,
        patchWidth,
      ]}]`,
      "it is a ViT under timm's or transformers' names, of square colour images, with one CLS token",
      "give the .safetensors file of such a model",
    );
  }
  const shape = { imageSize: side * patchSize, patchSize, dim, depth };
  const [mlp] = theta.get("blocks.0.mlp.fc1.weight")?.shape ?? [];
  const [outputs] = theta.get("head.weight")?.shape ?? [];
  if (published) refuseContradictions(published, { ...shape, mlp, outputs }, file, heads);
  const found = heads ?? published?.heads ?? dim / HEAD_WIDTH;
  if (!Number.isInteger(found) || dim % found !== 0) {
    throw new LetheError(
      `${file} has the width ${dim}`,
      published?.heads === undefined && heads === undefined
        ? `published ViTs have a head for each ${HEAD_WIDTH} of it, and that is no whole number`
        : `${found} heads do not divide it`,
      "put the model's config.json beside it, or import it with --heads",
    );
  }
  return {
    ...shape,
    heads: found,
    layerNormEps: published?.layerNormEps ?? (hasTransformersNames(weights) ? 1e-12 : 1e-6),
    labels: outputs ?? null,
  };
}

/** @throws {LetheError} the config.json, the tensors and the command line do not agree */
function refuseContradictions(
  published: PublishedConfig,
  shape: Readonly<Record<keyof typeof SAID, number | undefined>>,
  file: string,
  heads?: number,
): void {
  for (const name of Object.keys(SAID) as (keyof typeof SAID)[]) {
    const said = published[name];
    // A body without its head may still be published under the head's settings.
    if (said === undefined || shape[name] === undefined || said === shape[name]) continue;
    throw new LetheError(
      `${published.file} says ${SAID[name]} ${said}`,
      `the tensors of ${file} are of ${SAID[name]} ${shape[name]}`,
      "fetch both files of one model",
    );
  }
  if (heads === undefined || published.heads === undefined || heads === published.heads) return;
  throw new LetheError(
    `--heads ${heads}`,
    `${published.file} says that the model has ${published.heads}`,
    "leave --heads out",
  );
}

const SAID = {
  imageSize: "image size",
  patchSize: "patch size",
  dim: "width",
  depth: "depth",
  mlp: "MLP width",
  outputs: "number of outputs",
};
