import { EigenvalueDecomposition, Matrix } from "ml-matrix";

/**
 * The leading left singular vectors of a symmetric matrix: the fewest whose singular values' square
 * roots add up to more than a share of all.
 *
 * @param values [size, size], row after row
 * @param share in (0, 1)
 * @returns `vectors` [size, rank], row after row, and `clearance`: how far the nearest cumulative share
 *   is from `share`, below which rounding decides the rank
 */
export function dominantDirections(
  values: ArrayLike<number>,
  size: number,
  share: number,
): { vectors: Float32Array; rank: number; clearance: number } {
  const matrix = Matrix.from1DArray(size, size, Array.from(values));
  // A symmetric matrix's singular values are the magnitudes of its eigenvalues.
  const { realEigenvalues, eigenvectorMatrix } = new EigenvalueDecomposition(matrix, {
    assumeSymmetric: true,
  });
  const roots = realEigenvalues.map((value) => Math.sqrt(Math.abs(value)));
  const order = roots.map((_, i) => i).sort((a, b) => roots[b] - roots[a]);
  const total = roots.reduce((sum, root) => sum + root, 0);
  let [sum, rank] = [0, 0];
  let clearance = Infinity;
  while (rank < size && !(sum > share * total)) {
    sum += roots[order[rank++]];
    clearance = Math.min(clearance, Math.abs(sum / total - share));
  }
  const vectors = Float32Array.from(
    { length: size * rank },
    (_, k) => eigenvectorMatrix.get(Math.floor(k / rank), order[k % rank]),
  );
  return { vectors, rank, clearance };
}
