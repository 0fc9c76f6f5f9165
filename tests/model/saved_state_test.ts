import { assertEquals } from "@std/assert";
import { differences } from "../../lib/model/saved_state.ts";

Deno.test("differences names each setting that differs by its path, with both values", () => {
  const before = { seed: 0, recipe: { epochs: 4, name: "a" }, init: null, labels: ["x"] };
  const now = { seed: 1, recipe: { epochs: 4, name: "b" }, init: null, labels: ["x"], half: true };
  assertEquals(
    differences(JSON.stringify(before), JSON.stringify(now)),
    'seed was 0 and is 1; recipe.name was "a" and is "b"; half was unset and is true',
  );
});

Deno.test("differences leaves out long values, counts what is beyond five, and reads damaged states", () => {
  const settings = (value: number | string) =>
    JSON.stringify(Object.fromEntries("abcdefg".split("").map((name) => [name, value])));
  const said = differences(settings(1), settings("v".repeat(50)));
  assertEquals(
    said,
    "abcde".split("").map((name) => `${name} is another`).join("; ") + "; and 2 more",
  );
  assertEquals(differences("{", "{}"), "its settings cannot be read");
  assertEquals(differences(undefined, '{"seed":1}'), "seed was unset and is 1");
});
