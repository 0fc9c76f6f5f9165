import * as tf from "@tensorflow/tfjs";
import type { Random } from "../tensor/random.ts";
import type { Weights } from "../tensor/weights.ts";
import type { VitShape } from "./vit.ts";

/** Standard deviation of timm's initial weights. */
const DEVIATION = 0.02;

/**
 * Fresh theta as timm starts its ViTs: linear weights and positions normal with deviation 0.02
 * (truncated at two deviations), biases zero, norms one and zero, class token 1e-6, and PyTorch's own
 * uniform start for the patch embedding, which is a convolution.
 *
 * @param labels outputs of the head
 * @returns tensors under timm's names, owned by the caller
 */
export function initialVit(shape: VitShape, labels: number, random: Random): Weights {
  const { dim, depth, patchSize, imageSize } = shape;
  const fill = (size: number[], draw: () => number) => {
    const count = size.reduce((a, b) => a * b, 1);
    return tf.tensor(Float32Array.from({ length: count }, draw), size);
  };
  const truncated = (size: number[], deviation = DEVIATION) =>
    fill(size, () => {
      let x = random.normal();
      while (Math.abs(x) > 2) x = random.normal();
      return x * deviation;
    });
  const patchInputs = 3 * patchSize ** 2;
  const bound = 1 / Math.sqrt(patchInputs);
  const uniform = (size: number[]) => fill(size, () => (2 * random.uniform() - 1) * bound);

  const theta: Record<string, tf.Tensor> = {
    cls_token: truncated([1, 1, dim], 1e-6),
    pos_embed: truncated([1, (imageSize / patchSize) ** 2 + 1, dim]),
    "patch_embed.proj.weight": uniform([dim, 3, patchSize, patchSize]),
    "patch_embed.proj.bias": uniform([dim]),
  };
  const norm = (name: string) => {
    theta[`${name}.weight`] = tf.ones([dim]);
    theta[`${name}.bias`] = tf.zeros([dim]);
  };
  const affine = (name: string, from: number, to: number) => {
    theta[`${name}.weight`] = truncated([to, from]);
    theta[`${name}.bias`] = tf.zeros([to]);
  };
  for (let i = 0; i < depth; i++) {
    norm(`blocks.${i}.norm1`);
    affine(`blocks.${i}.attn.qkv`, dim, 3 * dim);
    affine(`blocks.${i}.attn.proj`, dim, dim);
    norm(`blocks.${i}.norm2`);
    affine(`blocks.${i}.mlp.fc1`, dim, 4 * dim);
    affine(`blocks.${i}.mlp.fc2`, 4 * dim, dim);
  }
  norm("norm");
  affine("head", dim, labels);
  return theta;
}
