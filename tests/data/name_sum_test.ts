import { assertEquals, assertNotEquals } from "@std/assert";
import { nameSum } from "../../lib/data/name_sum.ts";

const sum = (names: readonly string[]) => {
  const own = nameSum();
  for (const name of names) own.add(name);
  return own.text();
};

Deno.test("nameSum is the same in any order, and another for any other names", () => {
  const names = Array.from({ length: 300 }, (_, i) => `${i}`.padStart(6, "0") + ".jpg");
  const whole = sum(names);
  assertEquals(sum([...names].reverse()), whole);
  const seen = new Set([whole]);
  for (let i = 0; i < names.length; i++) {
    seen.add(sum(names.with(i, `1${names[i]}`)));
    seen.add(sum(names.toSpliced(i, 1)));
  }
  assertEquals(seen.size, 1 + 2 * names.length);
  // Two letters that changed places, between two names or within one; the same letters otherwise shared out.
  assertNotEquals(sum(["a1", "b2"]), sum(["a2", "b1"]));
  assertNotEquals(sum(["ab"]), sum(["ba"]));
  assertNotEquals(sum(["ab", "c"]), sum(["a", "bc"]));
  assertNotEquals(sum(["\u0100"]), sum(["\u0001"]));
  assertNotEquals(sum([]), sum([""]));
});
