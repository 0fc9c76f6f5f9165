import { assertEquals } from "@std/assert";
import { partRows } from "../../lib/measure/part_rows.ts";

Deno.test("partRows gives each part its own rows, however batches lie across parts", () => {
  const sizes = [["a", 3], ["none", 0], ["b", 1], ["c", 4]] as const;
  const rows = Float32Array.from({ length: 8 * 2 }, (_, i) => i);
  for (const batch of [1, 2, 3, 5, 8]) {
    const shared = partRows<string>(sizes, 2);
    const given: Record<string, number[]> = {};
    for (let first = 0; first < 8; first += batch) {
      for (const own of shared(first, rows.subarray(2 * first, 2 * (first + batch)))) {
        given[own.part] ??= [];
        assertEquals(own.from, given[own.part].length / 2);
        assertEquals(own.images, own.rows.length / 2);
        given[own.part].push(...own.rows);
      }
    }
    assertEquals(
      given,
      { a: [0, 1, 2, 3, 4, 5], b: [6, 7], c: [8, 9, 10, 11, 12, 13, 14, 15] },
      `batches of ${batch}`,
    );
  }
});
