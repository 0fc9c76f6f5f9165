import { assertEquals } from "@std/assert";
import { openLogitRows } from "../../lib/measure/logit_rows.ts";

Deno.test("openLogitRows gives back rows by their place, from memory and from a file", () => {
  for (const inMemory of [2 ** 20, 0]) {
    using logits = openLogitRows(3, 10, inMemory);
    for (let first = 0; first < 10; first += 4) {
      const rows = 3 * Math.min(4, 10 - first);
      logits.add(Float32Array.from({ length: rows }, (_, i) => 3 * first + i));
    }
    assertEquals([...logits.rows([9, 0, 4, 4])], [27, 28, 29, 0, 1, 2, 12, 13, 14, 12, 13, 14]);
    assertEquals(logits.rows([]).length, 0);
  }
});

Deno.test("openLogitRows goes on in memory where the file has no more room", () => {
  using opened = openLogitRows(2, 6, 0);
  opened.add(Float32Array.of(0, 1, 2, 3));
  const { writeSync } = Deno.FsFile.prototype;
  Deno.FsFile.prototype.writeSync = () => {
    throw new Deno.errors.WriteZero("no space left");
  };
  try {
    opened.add(Float32Array.of(4, 5));
  } finally {
    Deno.FsFile.prototype.writeSync = writeSync;
  }
  opened.add(Float32Array.of(6, 7, 8, 9, 10, 11));
  assertEquals([...opened.rows([5, 2, 1, 0, 3])], [10, 11, 4, 5, 2, 3, 0, 1, 6, 7]);
});
