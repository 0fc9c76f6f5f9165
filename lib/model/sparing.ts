import { hasFusedProducts } from "../tensor/fused_product.ts";

/** What of a network its activations depend on. */
interface Sizes {
  readonly imageSize: number;
  readonly patchSize: number;
  readonly dim: number;
  readonly depth: number;
}

/** Bytes of activations that a pass keeps for its gradient before it spares them. */
const FROM = 2 ** 30;
/** Rows of [tokens, dim] that a block keeps for its gradient where it spares none. */
const KEPT = 16;

/**
 * Whether a pass that is asked to spare memory computes its blocks' activations again when their gradient
 * comes, instead of keeping them: where they would take more than a gigabyte. The same numbers come out.
 *
 * @param images in the pass
 */
export function spares({ imageSize, patchSize, dim, depth }: Sizes, images: number): boolean {
  const tokens = (imageSize / patchSize) ** 2 + 1;
  return 4 * images * tokens * dim * KEPT * depth > FROM && hasFusedProducts();
}
