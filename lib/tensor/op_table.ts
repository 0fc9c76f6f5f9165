import type { Attributes, Op } from "./op.ts";
import { attention } from "./ops/attention.ts";
import { attentionBlock } from "./ops/attention_block.ts";
import { mlpBlock } from "./ops/mlp_block.ts";
import { classRows } from "./ops/class_rows.ts";
import { add, mask, mean, sigmoid, softplus } from "./ops/elementwise.ts";
import { gelu } from "./ops/gelu.ts";
import { layerNorm } from "./ops/layer_norm.ts";
import { linear } from "./ops/linear.ts";
import { reshape } from "./ops/reshape.ts";
import { concatColumns, embeddingRows, selectedRows } from "./ops/rows.ts";
import { tokens } from "./ops/tokens.ts";

/** An op with small inputs to check it on. */
export interface OpTableRow {
  /** The operation. */
  readonly op: Op;
  /** Shapes of the inputs. */
  readonly inputs: readonly (readonly number[])[];
  /** Its numbers besides tensors. */
  readonly attributes?: Attributes;
  /** Deviation of the numbers to check it on; 1 by default, less where the op bends much. */
  readonly spread?: number;
  /** Inputs that are constants to the op (a dropout mask): not differentiated. */
  readonly constants?: readonly number[];
}

/**
 * Every differentiable op, once: the gradient check and the kernel check walk this table.
 * Sizes are odd on purpose, so that no kernel passes by its tile size alone.
 */
export const OP_TABLE: readonly OpTableRow[] = [
  { op: linear, inputs: [[7, 5], [6, 5], [6]] },
  { op: linear, inputs: [[37, 12], [20, 12]] },
  { op: linear, inputs: [[7, 5], [6, 5], [6]], attributes: { fixedInput: 1 }, constants: [0] },
  { op: layerNorm, inputs: [[5, 9], [9], [9]], attributes: { epsilon: 1e-5 } },
  { op: layerNorm, inputs: [[5, 9], [9], [9]], attributes: { epsilon: 1e-5 }, constants: [1, 2] },
  { op: gelu, inputs: [[6, 11]] },
  { op: attention, inputs: [[2, 5, 3 * 6]], attributes: { heads: 2 } },
  { op: attention, inputs: [[1, 17, 3 * 16]], attributes: { heads: 1 } },
  {
    op: mlpBlock,
    inputs: [[7, 8], [8], [8], [12, 8], [12], [8, 12], [8]],
    attributes: { epsilon: 1e-5 },
    spread: 0.5,
  },
  {
    op: attentionBlock,
    inputs: [[2 * 5, 8], [8], [8], [24, 8], [24], [8, 8], [8]],
    attributes: { epsilon: 1e-5, heads: 2, tokens: 5, dim: 8 },
    spread: 0.5,
  },
  { op: tokens, inputs: [[2 * 4, 6], [1, 1, 6], [1, 5, 6]] },
  { op: classRows, inputs: [[3, 5, 4]] },
  { op: add, inputs: [[4, 6], [4, 6]] },
  { op: mask, inputs: [[4, 6], [4, 6]], constants: [1] },
  { op: selectedRows, inputs: [[3, 6], [6, 4]], constants: [0] },
  { op: sigmoid, inputs: [[5, 7]] },
  { op: softplus, inputs: [[5, 7]] },
  { op: mean, inputs: [[5, 7]] },
  { op: embeddingRows, inputs: [[6, 4]], attributes: { indices: [5, 0, 5, 2] } },
  { op: concatColumns, inputs: [[3, 4], [3, 2], [3, 5]] },
  { op: reshape, inputs: [[4, 3, 2]], attributes: { shape: [4, -1] } },
];
