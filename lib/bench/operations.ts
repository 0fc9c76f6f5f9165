import type { VitShape } from "../model/vit.ts";

/** Tokens per image, the class token included. */
export function tokensOf({ imageSize, patchSize }: VitShape): number {
  return (imageSize / patchSize) ** 2 + 1;
}

/** Operations of a product of [m, k] and [k, n]: a multiplication and an addition per term. */
export function productOperations(m: number, k: number, n: number): number {
  return 2 * m * k * n;
}

/**
 * Floating-point operations of f_theta on b images, products only (all else is below 2 %): patch
 * embedding 2 P 3p^2 d; per block 24 n d^2 for the four layers and 4 n^2 d for attention; head.
 */
export function forwardOperations(shape: VitShape, labels: number, b: number): number {
  const { dim, depth, patchSize } = shape;
  const n = tokensOf(shape);
  const embedding = productOperations(n - 1, 3 * patchSize ** 2, dim);
  const block = 24 * n * dim ** 2 + 4 * n ** 2 * dim;
  return b * (embedding + depth * block + productOperations(1, dim, labels));
}

/** Operations of forward and backward: each product has two more in its backward pass. */
export function trainingOperations(shape: VitShape, labels: number, b: number): number {
  return 3 * forwardOperations(shape, labels, b);
}
