import { symmetricEigen } from "./symmetric_eigen.ts";

/**
 * The leading left singular vectors of a symmetric matrix: the fewest whose singular values' square
 * roots add up to more than a share of all.
 *
 * @param matrix [size, size], row after row
 * @param share in (0, 1)
 * @returns `vectors` [size, rank], row after row, and `clearance`: how far the nearest cumulative share
 *   is from `share`, below which rounding decides the rank
 */
export async function dominantDirections(
  matrix: ArrayLike<number>,
  size: number,
  share: number,
): Promise<{ vectors: Float32Array; rank: number; clearance: number }> {
  const { values, vectors: all } = await symmetricEigen(matrix, size);
  // A symmetric matrix's singular values are the magnitudes of its eigenvalues.
  const roots = values.map((value) => Math.sqrt(Math.abs(value)));
  const order = Array.from(roots.keys()).sort((a, b) => roots[b] - roots[a]);
  const total = roots.reduce((sum, root) => sum + root, 0);
  let [sum, rank] = [0, 0];
  let clearance = Infinity;
  while (rank < size && !(sum > share * total)) {
    sum += roots[order[rank++]];
    clearance = Math.min(clearance, Math.abs(sum / total - share));
  }
  const vectors = new Float32Array(size * rank);
  for (let k = 0; k < vectors.length; k++) {
    vectors[k] = all[order[k % rank] * size + Math.floor(k / rank)];
  }
  return { vectors, rank, clearance };
}
