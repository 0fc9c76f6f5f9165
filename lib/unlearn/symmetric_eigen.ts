import { eventLoopTurn } from "../tensor/event_loop.ts";

/** Eigenvalues and eigenvectors of a symmetric matrix. */
export interface SymmetricEigen {
  /** In no particular order; value i belongs to vector i. */
  readonly values: Float64Array;
  /** Vector i is [i size, (i + 1) size). They are orthonormal. */
  readonly vectors: Float64Array;
}

/**
 * Eigen-decomposition of a symmetric matrix: Householder tridiagonalisation and the implicit QL method
 * (EISPACK's tred2 and tql2; Bowdler et al. 1968).
 *
 * Laid out so that every inner loop runs along memory: PGU decomposes matrices of 3072 x 3072, for
 * which the libraries at hand, which go down columns, take many times as long (README). That takes
 * minutes, in which signals and timers get their turns.
 *
 * @param matrix [size, size], row after row; not changed
 * @throws RangeError an element that is not finite
 */
export async function symmetricEigen(
  matrix: ArrayLike<number>,
  size: number,
): Promise<SymmetricEigen> {
  // By symmetry the rows given are the columns that the method works on.
  const columns = new Float64Array(matrix);
  if (!columns.every(Number.isFinite)) throw new RangeError("a matrix holds finite numbers");
  const diagonal = new Float64Array(size);
  const beside = new Float64Array(size);
  await tridiagonalise(columns, diagonal, beside, size);
  await diagonalise(columns, diagonal, beside, size);
  return { values: diagonal, vectors: columns };
}

/** V, d and e such that the matrix is V T VT with T of diagonal d and off-diagonal e (from 1). */
async function tridiagonalise(
  v: Float64Array,
  d: Float64Array,
  e: Float64Array,
  n: number,
): Promise<void> {
  // Element (row, column) of V is v[column n + row].
  for (let j = 0; j < n; j++) d[j] = v[j * n + n - 1];
  for (let i = n - 1; i > 0; i--) {
    await eventLoopTurn();
    let scale = 0;
    for (let k = 0; k < i; k++) scale += Math.abs(d[k]);
    let h = 0;
    if (scale === 0) {
      e[i] = d[i - 1];
      for (let j = 0; j < i; j++) {
        d[j] = v[j * n + i - 1];
        v[j * n + i] = 0;
        v[i * n + j] = 0;
      }
    } else {
      for (let k = 0; k < i; k++) {
        d[k] /= scale;
        h += d[k] * d[k];
      }
      const last = d[i - 1];
      const root = last > 0 ? -Math.sqrt(h) : Math.sqrt(h);
      e[i] = scale * root;
      h -= last * root;
      d[i - 1] = last - root;
      e.fill(0, 0, i);
      for (let j = 0; j < i; j++) {
        const column = j * n;
        const f = d[j];
        v[i * n + j] = f;
        let g = e[j] + v[column + j] * f;
        for (let k = j + 1; k < i; k++) {
          g += v[column + k] * d[k];
          e[k] += v[column + k] * f;
        }
        e[j] = g;
      }
      let f = 0;
      for (let j = 0; j < i; j++) {
        e[j] /= h;
        f += e[j] * d[j];
      }
      const share = f / (h + h);
      for (let j = 0; j < i; j++) e[j] -= share * d[j];
      for (let j = 0; j < i; j++) {
        const column = j * n;
        const a = d[j];
        const b = e[j];
        for (let k = j; k < i; k++) v[column + k] -= a * e[k] + b * d[k];
        d[j] = v[column + i - 1];
        v[column + i] = 0;
      }
    }
    d[i] = h;
  }
  await accumulate(v, d, n);
  for (let j = 0; j < n; j++) {
    d[j] = v[j * n + n - 1];
    v[j * n + n - 1] = 0;
  }
  v[n * n - 1] = 1;
  e[0] = 0;
}

/** Multiplies the Householder reflections out. */
async function accumulate(v: Float64Array, d: Float64Array, n: number): Promise<void> {
  for (let i = 0; i < n - 1; i++) {
    await eventLoopTurn();
    v[i * n + n - 1] = v[i * n + i];
    v[i * n + i] = 1;
    const h = d[i + 1];
    const next = (i + 1) * n;
    if (h !== 0) {
      for (let k = 0; k <= i; k++) d[k] = v[next + k] / h;
      for (let j = 0; j <= i; j++) {
        const column = j * n;
        let g = 0;
        for (let k = 0; k <= i; k++) g += v[next + k] * v[column + k];
        for (let k = 0; k <= i; k++) v[column + k] -= g * d[k];
      }
    }
    v.fill(0, next, next + i + 1);
  }
}

/** QL with implicit shifts: d becomes the eigenvalues, V's columns the eigenvectors. */
async function diagonalise(
  v: Float64Array,
  d: Float64Array,
  e: Float64Array,
  n: number,
): Promise<void> {
  e.copyWithin(0, 1);
  e[n - 1] = 0;
  let [shift, size] = [0, 0];
  for (let l = 0; l < n; l++) {
    size = Math.max(size, Math.abs(d[l]) + Math.abs(e[l]));
    const small = Number.EPSILON * size;
    let m = l;
    while (Math.abs(e[m]) > small) m++; // e[n - 1] is 0
    if (m > l) {
      do {
        await eventLoopTurn();
        const g = d[l];
        let p = (d[l + 1] - g) / (2 * e[l]);
        const r = p < 0 ? -Math.hypot(p, 1) : Math.hypot(p, 1);
        d[l] = e[l] / (p + r);
        d[l + 1] = e[l] * (p + r);
        const second = d[l + 1];
        const h = g - d[l];
        for (let i = l + 2; i < n; i++) d[i] -= h;
        shift += h;
        p = d[m];
        const beside = e[l + 1];
        let [c, c2, c3, s, s2] = [1, 1, 1, 0, 0];
        for (let i = m - 1; i >= l; i--) {
          [c3, c2, s2] = [c2, c, s];
          const [g, h] = [c * e[i], c * p];
          const r = Math.hypot(p, e[i]);
          e[i + 1] = s * r;
          s = e[i] / r;
          c = p / r;
          p = c * d[i] - s * g;
          d[i + 1] = h + s * (c * g + s * d[i]);
          rotate(v, i * n, n, c, s);
        }
        p = -s * s2 * c3 * beside * e[l] / second;
        e[l] = s * p;
        d[l] = c * p;
      } while (Math.abs(e[l]) > small);
    }
    d[l] += shift;
    e[l] = 0;
  }
}

/** Turns the column that begins at `at` and the next one in their plane. */
function rotate(v: Float64Array, at: number, n: number, c: number, s: number): void {
  const end = at + n;
  for (let k = at; k < end; k++) {
    const a = v[k];
    const b = v[k + n];
    v[k + n] = s * a + c * b;
    v[k] = c * a - s * b;
  }
}
