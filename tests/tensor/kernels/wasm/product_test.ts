import { assertEquals, assertLess } from "@std/assert";
import { type Matrix, padded, productModule } from "../../../../lib/tensor/kernels/wasm/product.ts";
import { Random } from "../../../../lib/random.ts";

Deno.test("padded is the next multiple", () => {
  assertEquals([1, 8, 9].map((n) => padded(n, 8)), [8, 8, 16]);
});

Deno.test("productModule multiplies as a sum in float64, plain and transposed", () => {
  const [m, n, k] = [12, 16, 19];
  const product = productModule();
  // More than a page, so that the memory has to grow.
  product.reserve(20_000);
  const floats = product.floats();
  const random = new Random(1, "product");
  floats.forEach((_, i) => floats[i] = random.normal());
  const b: Matrix = { offset: 15_000, row: n, step: 1 };
  const c: Matrix = { offset: 19_000, row: n + 4, step: 1 };
  for (const a of [{ offset: 3, row: 21, step: 1 }, { offset: 3, row: 1, step: m }]) {
    const before = floats.slice(c.offset - 8, c.offset + m * c.row + 8);
    product.multiply(a, b, c, m, n, k, 0.5);
    for (let i = 0; i < m; i++) {
      for (let j = 0; j < n; j++) {
        let sum = 0;
        for (let p = 0; p < k; p++) {
          sum += floats[a.offset + i * a.row + p * a.step] * floats[b.offset + p * b.row + j];
        }
        assertLess(Math.abs(floats[c.offset + i * c.row + j] - sum / 2), 1e-5, `${i}, ${j}`);
      }
    }
    // Nothing beside the product is written.
    const after = floats.slice(c.offset - 8, c.offset + m * c.row + 8);
    after.forEach((value, at) => {
      const [row, column] = [Math.floor((at - 8) / c.row), (at - 8 + c.row) % c.row];
      if (row < 0 || row >= m || column >= n) assertEquals(value, before[at]);
    });
  }
});
