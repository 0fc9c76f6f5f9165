import { assertAlmostEquals, assertEquals, assertRejects } from "@std/assert";
import { Random } from "../../lib/random.ts";
import { dominantDirections } from "../../lib/unlearn/dominant_directions.ts";
import { symmetricEigen } from "../../lib/unlearn/symmetric_eigen.ts";

/** A matrix from its element at row and column. */
const matrix = (size: number, element: (row: number, column: number) => number) =>
  Float64Array.from({ length: size * size }, (_, k) => element(Math.floor(k / size), k % size));

/** Holds A V = V L and VT V = 1 to rounding. */
async function assertDecomposes(a: Float64Array, size: number): Promise<void> {
  const before = a.slice();
  const { values, vectors } = await symmetricEigen(a, size);
  assertEquals(a, before, "the matrix is not changed");
  const largest = Math.max(...a.map(Math.abs), 1e-300);
  for (let i = 0; i < size; i++) {
    const own = vectors.subarray(i * size, (i + 1) * size);
    for (let row = 0; row < size; row++) {
      const product = own.reduce((sum, value, k) => sum + a[row * size + k] * value, 0);
      assertAlmostEquals(product / largest, values[i] * own[row] / largest, 1e-12);
      const other = vectors.subarray(row * size, (row + 1) * size);
      const dot = own.reduce((sum, value, k) => sum + other[k] * value, 0);
      assertAlmostEquals(dot, row === i ? 1 : 0, 1e-12);
    }
  }
}

const random = new Random(2, "symmetric");
const drawn = (size: number) => matrix(size, () => random.normal());
/** A AT, of the rank of `wide`. */
function gram(size: number, wide: number, scale: number): Float64Array {
  const rows = Array.from({ length: size }, () => drawn(wide).subarray(0, wide));
  return matrix(size, (i, j) => scale * rows[i].reduce((sum, x, k) => sum + x * rows[j][k], 0));
}

for (
  const [what, size, a] of [
    [
      "a drawn one of both signs",
      23,
      ((m) => matrix(23, (i, j) => m[i * 23 + j] + m[j * 23 + i]))(drawn(23)),
    ],
    ["a covariance that lacks most directions", 30, gram(30, 4, 1)],
    ["one of huge elements", 9, gram(9, 9, 1e150)],
    ["one of tiny elements", 9, gram(9, 9, 1e-150)],
    ["the unit matrix, all of whose eigenvalues are one", 7, matrix(7, (i, j) => i === j ? 1 : 0)],
    ["a matrix of zeros", 5, matrix(5, () => 0)],
    [
      "blocks that have nothing to do with each other",
      6,
      matrix(6, (i, j) => i % 2 === j % 2 ? 1 + i * j : 0),
    ],
    ["a single number", 1, matrix(1, () => -3)],
  ] as const
) {
  Deno.test(`symmetricEigen decomposes ${what}`, () => assertDecomposes(a, size));
}

Deno.test("symmetricEigen finds the eigenvalues of a matrix whose values are known", async () => {
  // The second difference on n points: 2 - 2 cos(pi k / (n + 1)).
  const n = 12;
  const a = matrix(n, (i, j) => i === j ? 2 : Math.abs(i - j) === 1 ? -1 : 0);
  const values = (await symmetricEigen(a, n)).values.toSorted();
  values.forEach((value, k) =>
    assertAlmostEquals(value, 2 - 2 * Math.cos(Math.PI * (k + 1) / (n + 1)), 1e-13)
  );
});

Deno.test("symmetricEigen refuses what is not finite", async () => {
  for (const wrong of [NaN, Infinity]) {
    await assertRejects(() => symmetricEigen([1, wrong, wrong, 1], 2), RangeError, "finite");
  }
});

Deno.test("dominantDirections keeps the fewest directions that exceed the share, largest magnitude first", async () => {
  // Roots of magnitudes: 4, 3, 2, 1 of 10.
  const diagonal = [-9, 1, 16, 4];
  const a = matrix(4, (i, j) => i === j ? diagonal[i] : 0);
  const kept = async (share: number) => {
    const { vectors, rank } = await dominantDirections(a, 4, share);
    return Array.from(
      { length: rank },
      (_, d) => [0, 1, 2, 3].filter((row) => Math.abs(vectors[row * rank + d]) > 0.5),
    );
  };
  assertEquals(await kept(0.3), [[2]]);
  assertEquals(await kept(0.4), [[2], [0]], "more than the share, not as much");
  assertEquals(await kept(0.85), [[2], [0], [3]]);
  assertEquals(await kept(0.95), [[2], [0], [3], [1]]);
  assertAlmostEquals((await dominantDirections(a, 4, 0.68)).clearance, 0.02, 1e-12);
});

Deno.test("symmetricEigen gives the event loop its turns: a timer, and so a signal, does not wait for the end", async () => {
  const size = 600; // longer than a loop may go on without a turn, on any machine
  const a = matrix(size, (i, j) => Math.sin(i * j));
  let fired = false;
  const timer = setTimeout(() => fired = true, 0);
  await symmetricEigen(a, size);
  clearTimeout(timer);
  assertEquals(fired, true);
});
