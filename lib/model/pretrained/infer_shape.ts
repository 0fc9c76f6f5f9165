import { LetheError } from "../../error.ts";
import type { Weight } from "../safetensors.ts";
import type { VitShape } from "../vit.ts";
import { hasTransformersNames, timmNames } from "./names.ts";

/** The width of a head in every published ViT. */
const HEAD_WIDTH = 64;

/**
 * The shape of a ViT from its tensors. The number of heads is in no tensor: published ViTs have dim / 64
 * of them. LayerNorm's epsilon is timm's (1e-6), or transformers' (1e-12) under its names.
 *
 * @param heads where it is not dim / 64
 * @throws {LetheError} the tensors are no ViT's
 */
export function inferShape(
  weights: ReadonlyMap<string, Weight>,
  file: string,
  heads?: number,
): VitShape & { readonly labels: number | null } {
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
  const found = heads ?? dim / HEAD_WIDTH;
  if (!Number.isInteger(found) || dim % found !== 0) {
    throw new LetheError(
      `${file} has the width ${dim}`,
      `${found} heads do not divide it`,
      "name the number of heads with --heads",
    );
  }
  return {
    imageSize: side * patchSize,
    patchSize,
    dim,
    depth,
    heads: found,
    layerNormEps: hasTransformersNames(weights) ? 1e-12 : 1e-6,
    labels: theta.get("head.weight")?.shape[0] ?? null,
  };
}
