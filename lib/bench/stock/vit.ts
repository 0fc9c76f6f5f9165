import * as tf from "@tensorflow/tfjs";
import type { VitOutput, VitShape } from "../../model/vit.ts";
import { mapWeights, type Weights } from "../../tensor/weights.ts";
import { stockAttention, stockGelu, stockLayerNorm, stockLinear } from "./layers.ts";

/** Whether a weight is a fully connected layer's, which Lethe keeps as PyTorch does, [out, in]. */
function isKernel(name: string, tensor: tf.Tensor): boolean {
  return tensor.rank === 2 && name.endsWith(".weight") && !name.startsWith("embed.");
}

/**
 * theta or phi in tfjs's own layout: fully connected kernels as [in, out], the patch embedding as the
 * matrix that it is. Applied to a stock gradient, {@link letheLayout} leads back.
 *
 * @returns copies, owned by the caller
 */
export function stockLayout(weights: Weights): Weights {
  return mapWeights(weights, (tensor, name) => {
    if (tensor.rank === 4) return tf.transpose(tf.reshape(tensor, [tensor.shape[0], -1]));
    return isKernel(name, tensor) ? tf.transpose(tensor) : tf.clone(tensor);
  });
}

/** The inverse of {@link stockLayout}; `like` has the shapes. The caller disposes the result. */
export function letheLayout(weights: Weights, like: Weights): Weights {
  return mapWeights(weights, (tensor, name) => {
    const shape = like[name].shape;
    if (shape.length === 4) return tf.reshape(tf.transpose(tensor), shape);
    return isKernel(name, tensor) ? tf.transpose(tensor) : tf.clone(tensor);
  });
}

/**
 * f_theta with stock tfjs ops: the same model as lib/model/vit.ts, on the same patch rows (stock
 * gradients of conv2d do not exist on WASM).
 *
 * @param theta from {@link stockLayout}
 * @param patches patch rows [b n, 3 patchSize^2]
 */
export function stockVit(
  theta: Weights,
  patches: tf.Tensor,
  shape: VitShape,
): VitOutput<tf.Tensor> {
  const { dim, depth, heads, layerNormEps } = shape;
  const n = (shape.imageSize / shape.patchSize) ** 2 + 1;
  const b = patches.shape[0] / (n - 1);
  const affine = (x: tf.Tensor, layer: string) =>
    stockLinear(x, theta[`${layer}.weight`], theta[`${layer}.bias`]);
  const norm = (x: tf.Tensor, layer: string) =>
    stockLayerNorm(x, theta[`${layer}.weight`], theta[`${layer}.bias`], layerNormEps);

  const embedded = tf.reshape(affine(patches, "patch_embed.proj"), [b, n - 1, dim]);
  const first = tf.tile(theta["cls_token"], [b, 1, 1]);
  const sequence = tf.add(tf.concat([first, embedded], 1), theta["pos_embed"]);
  let x = tf.reshape(sequence, [b * n, dim]);
  for (let i = 0; i < depth; i++) {
    const block = `blocks.${i}`;
    const qkv = affine(norm(x, `${block}.norm1`), `${block}.attn.qkv`);
    const attended = stockAttention(tf.reshape(qkv, [b, n, 3 * dim]), heads);
    x = tf.add(x, affine(tf.reshape(attended, [b * n, dim]), `${block}.attn.proj`));
    const hidden = stockGelu(affine(norm(x, `${block}.norm2`), `${block}.mlp.fc1`));
    x = tf.add(x, affine(hidden, `${block}.mlp.fc2`));
  }
  const classRows = tf.reshape(tf.slice(tf.reshape(x, [b, n, dim]), [0, 0, 0], [b, 1, dim]), [
    b,
    dim,
  ]);
  const features = norm(classRows, "norm");
  return { logits: affine(features, "head"), features };
}

/** Mean binary cross entropy over all elements, a scalar. */
export function stockLoss(logits: tf.Tensor, targets: tf.Tensor): tf.Scalar {
  return tf.losses.sigmoidCrossEntropy(targets, logits);
}
