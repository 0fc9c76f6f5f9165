import type * as tf from "@tensorflow/tfjs";
import type { Algebra } from "../tensor/algebra.ts";
import { attentionBlock } from "../tensor/ops/attention_block.ts";
import { classRows } from "../tensor/ops/class_rows.ts";
import { layerNorm } from "../tensor/ops/layer_norm.ts";
import { mlpBlock } from "../tensor/ops/mlp_block.ts";
import { linear } from "../tensor/ops/linear.ts";
import { reshape } from "../tensor/ops/reshape.ts";
import { tokens } from "../tensor/ops/tokens.ts";
import { spares } from "./sparing.ts";

/** What the forward pass needs to know of the model's shape. */
export interface VitShape {
  /** Side of the square input, pixels; a multiple of `patchSize`. */
  readonly imageSize: number;
  /** Pixels a side. */
  readonly patchSize: number;
  /** Width of a token. */
  readonly dim: number;
  /** Number of blocks. */
  readonly depth: number;
  /** Of attention. */
  readonly heads: number;
  /** 1e-6 in timm's ViTs. */
  readonly layerNormEps: number;
}

/** What f_theta gives for a batch of b images. */
export interface VitOutput<T> {
  /** [b, labels] */
  readonly logits: T;
  /** CLS token after the final norm, [b, dim]. */
  readonly features: T;
}

/**
 * f_theta: the Vision Transformer (Dosovitskiy et al. 2021) with timm's parameter names, pre-norm
 * blocks and a linear head on the CLS token.
 *
 * @param theta timm names to tensors of PyTorch's shapes
 * @param patches patch rows [b n, 3 patchSize^2] (lib/data/images/patches.ts)
 * @param sparing whether a gradient through it may take longer to take less memory ({@link spares})
 */
export function vit<T>(
  { constant, apply, scope }: Algebra<T>,
  theta: Readonly<Record<string, T>>,
  patches: tf.Tensor,
  shape: VitShape,
  sparing = false,
): VitOutput<T> {
  const { dim, depth, heads, layerNormEps: epsilon, patchSize } = shape;
  const n = (shape.imageSize / patchSize) ** 2 + 1;
  const b = patches.shape[0] / (n - 1);
  const rows = [b * n, dim];
  const again = sparing && spares(shape, b) ? { again: 1 } : {};
  const affine = (x: T, layer: string) =>
    apply(linear, [x, theta[`${layer}.weight`], theta[`${layer}.bias`]]);
  const norm = (x: T, layer: string) =>
    apply(layerNorm, [x, theta[`${layer}.weight`], theta[`${layer}.bias`]], { epsilon });

  const kernel = apply(reshape, [theta["patch_embed.proj.weight"]], { shape: [dim, -1] });
  const embedded = apply(
    linear,
    [constant(patches), kernel, theta["patch_embed.proj.bias"]],
    { fixedInput: 1 },
  );
  const sequence = apply(tokens, [embedded, theta["cls_token"], theta["pos_embed"]]);
  const weights = (layer: string, names: readonly string[]) =>
    names.flatMap((name) => ["weight", "bias"].map((kind) => theta[`${layer}.${name}.${kind}`]));
  const block = (x: T, layer: string) => {
    const middle = apply(
      attentionBlock,
      [x, ...weights(layer, ["norm1", "attn.qkv", "attn.proj"])],
      { epsilon, heads, tokens: n, dim, ...again },
    );
    return apply(
      mlpBlock,
      [middle, ...weights(layer, ["norm2", "mlp.fc1", "mlp.fc2"])],
      { epsilon, ...again },
    );
  };
  let x = apply(reshape, [sequence], { shape: rows });
  for (let i = 0; i < depth; i++) {
    const before = x;
    x = scope(() => block(before, `blocks.${i}`));
  }
  // LayerNorm acts on each token alone, so only the CLS tokens need the final one.
  const classTokens = apply(classRows, [apply(reshape, [x], { shape: [b, n, dim] })]);
  const features = norm(classTokens, "norm");
  return { logits: affine(features, "head"), features };
}
