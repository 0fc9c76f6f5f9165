import { Random } from "../../random.ts";

/** A matrix as left rightT. */
export interface LowRank {
  /** [rows, rank], row after row. */
  readonly left: Float32Array;
  /** [columns, rank], row after row. */
  readonly right: Float32Array;
}

/** Passes of subspace iteration: an error of (s_(r+1) / s_r)^(2 x 12) in a direction is none to speak of. */
const PASSES = 12;
/** Directions beyond the rank that the iteration carries along, so that the last of the rank settle. */
const SPARE = 4;

/**
 * The best approximation of a matrix at a rank (Eckart and Young 1936), by subspace iteration (Halko et al.
 * 2011, algorithm 4.4) from a fixed start: the same bits every time. Of the matrix's columns are taken as
 * many as the rank says; those beyond the matrix's own rank are zero.
 *
 * @param matrix [rows, columns], row after row
 * @param rank at least 1
 */
export function truncate(
  matrix: Float32Array,
  rows: number,
  columns: number,
  rank: number,
): LowRank {
  const width = Math.min(rank + SPARE, rows, columns);
  const kept = Math.min(rank, width);
  let basis = start(columns, width); // [columns, width], column after column
  let image: Float64Array[] = [];
  for (let pass = 0; pass <= PASSES; pass++) {
    image = basis.map((column) => product(matrix, rows, columns, column));
    // The last image stays as it is: its Gram matrix holds the singular values.
    if (pass === PASSES) break;
    orthonormalise(image);
    basis = image.map((column) => transposedProduct(matrix, rows, columns, column));
    orthonormalise(basis);
  }
  const order = turnToSingular(image, basis);
  const left = new Float32Array(rows * rank);
  const right = new Float32Array(columns * rank);
  for (let k = 0; k < kept; k++) {
    const [l, r] = order[k];
    for (let i = 0; i < rows; i++) left[i * rank + k] = l[i];
    for (let i = 0; i < columns; i++) right[i * rank + k] = r[i];
  }
  return { left, right };
}

/** left rightT, [rows, columns]. */
export function expand({ left, right }: LowRank, rows: number, columns: number): Float32Array {
  const rank = left.length / rows;
  const matrix = new Float32Array(rows * columns);
  for (let i = 0; i < rows; i++) {
    for (let j = 0; j < columns; j++) {
      let sum = 0;
      for (let k = 0; k < rank; k++) sum += left[i * rank + k] * right[j * rank + k];
      matrix[i * columns + j] = sum;
    }
  }
  return matrix;
}

/** Random columns, the same at each call. */
function start(rows: number, width: number): Float64Array[] {
  const random = new Random(0, "truncate");
  const columns = Array.from(
    { length: width },
    () => Float64Array.from({ length: rows }, () => random.normal()),
  );
  orthonormalise(columns);
  return columns;
}

function product(matrix: Float32Array, rows: number, columns: number, x: Float64Array) {
  const y = new Float64Array(rows);
  for (let i = 0; i < rows; i++) {
    const at = i * columns;
    let sum = 0;
    for (let j = 0; j < columns; j++) sum += matrix[at + j] * x[j];
    y[i] = sum;
  }
  return y;
}

function transposedProduct(matrix: Float32Array, rows: number, columns: number, y: Float64Array) {
  const x = new Float64Array(columns);
  for (let i = 0; i < rows; i++) {
    const [at, by] = [i * columns, y[i]];
    for (let j = 0; j < columns; j++) x[j] += matrix[at + j] * by;
  }
  return x;
}

/** Gram and Schmidt, twice over; a column that depends on those before it becomes zero. */
function orthonormalise(columns: Float64Array[]): void {
  columns.forEach((column, k) => {
    const before = norm(column);
    for (let twice = 0; twice < 2; twice++) {
      for (const other of columns.slice(0, k)) addTimes(column, other, -dot(column, other));
    }
    const length = norm(column);
    const factor = length > 1e-12 * before ? 1 / length : 0;
    for (let i = 0; i < column.length; i++) column[i] *= factor;
  });
}

/**
 * Turns the pair (image = matrix basis, basis orthonormal) so that the images are orthogonal, by Jacobi's
 * one-sided rotations.
 *
 * @returns pairs of columns, the longest image first
 */
function turnToSingular(image: Float64Array[], basis: Float64Array[]) {
  for (let sweep = 0; sweep < 30; sweep++) {
    let turned = false;
    for (let a = 0; a < image.length; a++) {
      for (let b = a + 1; b < image.length; b++) {
        const [p, q, r] = [
          dot(image[a], image[a]),
          dot(image[b], image[b]),
          dot(image[a], image[b]),
        ];
        if (Math.abs(r) <= 1e-14 * Math.sqrt(p * q) || r === 0) continue;
        turned = true;
        const angle = Math.atan2(2 * r, p - q) / 2;
        for (const pair of [image, basis]) turn(pair[a], pair[b], Math.cos(angle), Math.sin(angle));
      }
    }
    if (!turned) break;
  }
  return image.map((l, k) => [l, basis[k]] as const)
    .sort(([a], [b]) => dot(b, b) - dot(a, a));
}

function turn(a: Float64Array, b: Float64Array, cosine: number, sine: number): void {
  for (let i = 0; i < a.length; i++) {
    const [x, y] = [a[i], b[i]];
    a[i] = cosine * x + sine * y;
    b[i] = cosine * y - sine * x;
  }
}

function dot(a: Float64Array, b: Float64Array): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i] * b[i];
  return sum;
}

function norm(a: Float64Array): number {
  return Math.sqrt(dot(a, a));
}

function addTimes(a: Float64Array, b: Float64Array, factor: number): void {
  for (let i = 0; i < a.length; i++) a[i] += factor * b[i];
}
