import type { VitShape } from "./vit.ts";

/** Names and shapes of theta, as timm's VisionTransformer has them. */
export function thetaShapes(shape: VitShape, labels: number): Map<string, number[]> {
  const { dim, depth, patchSize, imageSize } = shape;
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
  return affine("head", dim, labels);
}
