import { assertEquals } from "@std/assert";
import { didYouMean, editDistance } from "../../cli/did_you_mean.ts";

Deno.test("editDistance counts inserts, deletes, replacements and swaps", () => {
  const pairs: [string, string, number][] = [
    ["out", "out", 0],
    ["uot", "out", 1],
    ["epoch", "epochs", 1],
    ["", "abc", 3],
    ["kitten", "sitting", 3],
  ];
  for (const [a, b, distance] of pairs) assertEquals(editDistance(a, b), distance, `${a} ${b}`);
});

Deno.test("didYouMean names the nearest word, or falls back when none is near", () => {
  assertEquals(didYouMean("suport", ["support", "out"], "see --help"), "did you mean support?");
  assertEquals(didYouMean("banana", ["support", "out"], "see --help"), "see --help");
});
