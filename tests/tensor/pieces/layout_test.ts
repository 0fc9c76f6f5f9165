import { assertEquals } from "@std/assert";
import { layOut } from "../../../lib/tensor/pieces/layout.ts";

Deno.test("layOut puts tensors at multiples of 256 bytes, those of the first kind before the others", () => {
  const { parts, pieces } = layOut(
    [["a.bias", [3]], ["a.weight", [65]], ["b.weight", [2, 2]]],
    1 << 20,
    (name) => name.endsWith(".weight"),
  );
  assertEquals(parts.map(({ name, piece, offset }) => [name, piece, offset]), [
    ["a.weight", 0, 0],
    ["b.weight", 0, 512],
    ["a.bias", 0, 768],
  ]);
  assertEquals(pieces, [{ bytes: 1024, firstKind: 768 }]);
});

Deno.test("layOut begins another piece where one binding would hold no more", () => {
  const { parts, pieces } = layOut([["a", [64]], ["b", [64]], ["c", [200]], ["d", [1]]], 512);
  assertEquals(parts.map(({ piece, offset }) => [piece, offset]), [[0, 0], [0, 256], [1, 0], [
    2,
    0,
  ]]);
  assertEquals(pieces.map(({ bytes }) => bytes), [512, 1024, 256]);
});
