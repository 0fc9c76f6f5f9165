import { assertAlmostEquals, assertEquals } from "@std/assert";
import { Random } from "../../../lib/random.ts";
import { expand, truncate } from "../../../lib/unlearn/memory/low_rank.ts";
import { symmetricEigen } from "../../../lib/unlearn/symmetric_eigen.ts";

/** A matrix with singular values 1 / (k + 1): nothing separates them by much. */
function sample(rows: number, columns: number): Float32Array {
  const random = new Random(1, "low rank");
  return Float32Array.from({ length: rows * columns }, () => random.normal());
}

function squared(values: Float32Array): number {
  return values.reduce((sum, x) => sum + x * x, 0);
}

Deno.test("truncate leaves what the best approximation of that rank leaves, by the eigenvalues of m mT", async () => {
  for (const [rows, columns] of [[12, 20], [20, 12]]) {
    const matrix = sample(rows, columns);
    const gram = new Float64Array(rows * rows);
    for (let i = 0; i < rows; i++) {
      for (let j = 0; j < rows; j++) {
        for (let k = 0; k < columns; k++) {
          gram[i * rows + j] += matrix[i * columns + k] * matrix[j * columns + k];
        }
      }
    }
    const values = (await symmetricEigen(gram, rows)).values.sort((a, b) => b - a);
    for (const rank of [1, 4]) {
      const near = expand(truncate(matrix, rows, columns, rank), rows, columns);
      const left = squared(matrix.map((x, i) => x - near[i]));
      const least = values.slice(rank).reduce((sum, x) => sum + x, 0);
      assertAlmostEquals(left / least, 1, 2e-3, `${rows} x ${columns}, rank ${rank}`);
    }
  }
});

Deno.test("truncate gives the matrix back where the rank suffices, and zeros beyond the matrix's own rank", () => {
  const matrix = sample(6, 5);
  const whole = truncate(matrix, 6, 5, 8);
  expand(whole, 6, 5).forEach((x, i) => assertAlmostEquals(x, matrix[i], 1e-5));
  assertEquals(whole.left.length, 6 * 8);
  const one = Float32Array.from({ length: 30 }, (_, i) => (Math.floor(i / 5) + 1) * (i % 5 - 2));
  const { left, right } = truncate(one, 6, 5, 3);
  expand({ left, right }, 6, 5).forEach((x, i) => assertAlmostEquals(x, one[i], 1e-5));
  const zero = truncate(new Float32Array(30), 6, 5, 2);
  assertEquals(zero.left.every((x) => x === 0), true);
});
