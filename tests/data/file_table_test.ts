import { assert, assertEquals } from "@std/assert";
import { fileAt, fileCount, packFiles, rowOf, sameFiles } from "../../lib/data/file_table.ts";

// 😀 comes before ～ as JavaScript compares strings, and after it in UTF-8.
const FILES = ["a/1.png", "a/b/2.png", "a/b/é.png", "a/😀.png", "a/\uff5e.png"].sort();

Deno.test("packFiles keeps names in their order, with what they share said once", () => {
  const table = packFiles(FILES);
  assertEquals([table.folder, fileCount(table)], ["a/", 5]);
  assertEquals(FILES.map((_, row) => fileAt(table, row)), FILES);
  const below = packFiles(FILES.map((file) => file.slice(2)), "a/");
  assert(sameFiles(table, below));
});

Deno.test("rowOf finds each file and no other, wherever it is looked for first", () => {
  const table = packFiles(FILES);
  for (const likely of [0, 2, 5]) {
    assertEquals(FILES.map((file) => rowOf(table, file, likely)), [0, 1, 2, 3, 4]);
    for (const other of ["", "a/", "a/0.png", "b/1.png", "1.png"]) {
      assertEquals(rowOf(table, other, likely), -1, other);
    }
  }
});

Deno.test("sameFiles tells tables apart by name, number and order", () => {
  const same = (files: string[]) => sameFiles(packFiles(FILES), packFiles(files));
  assert(same([...FILES]));
  assertEquals(same(FILES.slice(1)), false);
  assertEquals(same(FILES.toReversed()), false);
  assertEquals(same(FILES.map((file) => file.replace("1", "7"))), false);
});
