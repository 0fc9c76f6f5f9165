import type { MetaLossInput } from "./meta_loss_inputs.ts";

/** Shape of h_phi (Table 8b). */
export interface MetaLossShape {
  readonly inputs: readonly MetaLossInput[];
  /** Number of labels or classes, |Y|. */
  readonly labels: number;
  /** Width of the backbone's features, D. */
  readonly dim: number;
  /** Rows of the identity embedding table: one per training person. */
  readonly identities: number;
  /** Width of the identity embedding; 64 in the paper. */
  readonly embeddingSize: number;
  /** Hidden width; 512 in the paper. */
  readonly hidden: number;
}

/** Width of the meta-loss's input row. */
export function metaLossInputSize(shape: MetaLossShape): number {
  const width = {
    logits: shape.labels,
    features: shape.dim,
    targets: shape.labels,
    identities: shape.embeddingSize,
  };
  return shape.inputs.reduce((sum, input) => sum + width[input], 0);
}

/** Names and shapes of phi, as the released code has them. */
export function metaLossShapes(shape: MetaLossShape): Map<string, number[]> {
  const { hidden, identities, embeddingSize } = shape;
  const shapes = new Map<string, number[]>();
  if (shape.inputs.includes("identities")) shapes.set("embed.weight", [identities, embeddingSize]);
  const layer = (name: string, weight: number[]) =>
    shapes.set(`${name}.weight`, weight).set(`${name}.bias`, [weight[0]]);
  layer("input_block.0", [hidden, metaLossInputSize(shape)]);
  layer("input_block.1", [hidden]);
  layer("input_block.2", [hidden, hidden]);
  layer("output_block.0", [hidden]);
  return layer("output_block.1", [1, hidden]);
}
