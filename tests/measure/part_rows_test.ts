import { assertEquals } from "@std/assert";
import { partRows } from "../../lib/measure/part_rows.ts";

Deno.test("partRows hands over each part when its last row is there, however batches lie across parts", () => {
  const sizes = [["a", 3], ["none", 0], ["b", 1], ["c", 4]] as const;
  const rows = Float32Array.from({ length: 8 * 2 }, (_, i) => i);
  for (const batch of [1, 2, 3, 5, 8]) {
    const given: [string, number[]][] = [];
    const collected = partRows<string>(sizes, 2, (part, logits) => given.push([part, [...logits]]));
    for (let first = 0; first < 8; first += batch) {
      const images = Math.min(batch, 8 - first);
      collected.add(first, images, rows.subarray(2 * first, 2 * (first + images)));
    }
    assertEquals(given, [
      ["none", []],
      ["a", [0, 1, 2, 3, 4, 5]],
      ["b", [6, 7]],
      ["c", [8, 9, 10, 11, 12, 13, 14, 15]],
    ], `batches of ${batch}`);
  }
});

Deno.test("partRows takes batches in any order", () => {
  const given: [string, number[]][] = [];
  const collected = partRows<string>([["a", 2], ["b", 2]], 1, (part, logits) => {
    given.push([part, [...logits]]);
  });
  collected.add(2, 2, Float32Array.of(3, 4));
  collected.add(1, 1, Float32Array.of(2));
  collected.add(0, 1, Float32Array.of(1));
  assertEquals(given, [["b", [3, 4]], ["a", [1, 2]]]);
});
