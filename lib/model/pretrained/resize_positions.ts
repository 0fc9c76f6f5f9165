import { LetheError } from "../../error.ts";
import type { Weight } from "../safetensors.ts";

/**
 * Position embeddings for another grid of patches, as timm does it (`resample_abs_pos_embed`): the CLS
 * token's row stays, the grid is resampled with PyTorch's antialiased bicubic filter (a = -0.5, half-
 * pixel centres, weights cut at the edge and normalised).
 *
 * @param positions [1, n^2 + 1, dim]
 * @param side patches a side of the grid to make
 * @returns [1, side^2 + 1, dim]; `positions` itself when it fits already
 * @throws {LetheError} the rows are no square grid and a CLS token
 */
export function resizePositions(positions: Weight, side: number, file: string): Weight {
  const [one, rows, dim] = positions.shape;
  const from = Math.round(Math.sqrt(rows - 1));
  const square = positions.shape.length === 3 && one === 1 && rows > 1 && from ** 2 + 1 === rows;
  if (!square) {
    throw new LetheError(
      `${file}: tensor pos_embed has the shape [${positions.shape}]`,
      "it has a row for the CLS token and one for each patch of a square image",
      "use a ViT of square images and one CLS token",
    );
  }
  if (from === side) return positions;
  const grid = positions.values.subarray(dim);
  const rowsFirst = { lines: from, step: 1, line: from, targetLine: side };
  const wide = resample(grid, { ...rowsFirst, from, to: side }, dim);
  const columns = { lines: side, step: side, line: 1, targetLine: 1 };
  const full = resample(wide, { ...columns, from, to: side }, dim);
  const values = new Float32Array((side ** 2 + 1) * dim);
  values.set(positions.values.subarray(0, dim));
  values.set(full, dim);
  return { dtype: "F32", shape: [1, side ** 2 + 1, dim], values };
}

/** One direction of a grid: `lines` lines of `from` cells to become `to`. Distances are in cells. */
interface Direction {
  readonly lines: number;
  readonly from: number;
  readonly to: number;
  /** From a cell of a line to the next, before and after. */
  readonly step: number;
  /** From a line to the next. */
  readonly line: number;
  readonly targetLine: number;
}

/** Resamples each line of a grid to `to` cells of `dim` values. */
function resample(
  grid: ArrayLike<number>,
  { lines, from, to, step, line, targetLine }: Direction,
  dim: number,
): Float32Array {
  const target = new Float32Array(lines * to * dim);
  for (let i = 0; i < to; i++) {
    const { first, weights } = cubicWeights(i, from, to);
    for (let l = 0; l < lines; l++) {
      const out = (l * targetLine + i * step) * dim;
      for (let k = 0; k < dim; k++) {
        let sum = 0;
        weights.forEach((weight, j) => {
          sum += weight * grid[(l * line + (first + j) * step) * dim + k];
        });
        target[out + k] = sum;
      }
    }
  }
  return target;
}

/** Which cells of `from` make cell `i` of `to`, and with what weights. */
function cubicWeights(i: number, from: number, to: number): { first: number; weights: number[] } {
  const scale = from / to;
  // When it shrinks, the filter widens with the scale: that is the antialiasing.
  const stretch = Math.max(scale, 1);
  const centre = scale * (i + 0.5);
  const first = Math.max(Math.trunc(centre - 2 * stretch + 0.5), 0);
  const end = Math.min(Math.trunc(centre + 2 * stretch + 0.5), from);
  const weights = Array.from(
    { length: end - first },
    (_, j) => cubic((first + j - centre + 0.5) / stretch),
  );
  const sum = weights.reduce((a, b) => a + b, 0);
  return { first, weights: weights.map((weight) => weight / sum) };
}

/** Keys' cubic filter, a = -0.5. */
function cubic(x: number): number {
  const [a, t] = [-0.5, Math.abs(x)];
  if (t < 1) return ((a + 2) * t - (a + 3)) * t * t + 1;
  if (t < 2) return (((t - 5) * t + 8) * t - 4) * a;
  return 0;
}
