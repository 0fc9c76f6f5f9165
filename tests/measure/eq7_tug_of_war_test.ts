import { assertAlmostEquals, assertEquals, assertThrows } from "@std/assert";
import { tugOfWar } from "../../lib/measure/eq7_tug_of_war.ts";

Deno.test("tugOfWar multiplies what each part keeps of the retrained model's metric", () => {
  const retrained = { retain: 0.9, forget: 0.5, test: 0.4 };
  assertEquals(tugOfWar(retrained, retrained), 1);
  const unlearned = { retain: 0.8, forget: 0.7, test: 0.4 };
  assertAlmostEquals(tugOfWar(unlearned, retrained), 0.9 * 0.8, 1e-15);
  assertAlmostEquals(tugOfWar(retrained, unlearned), 0.9 * 0.8, 1e-15);
  const nothing = { retain: 0, forget: 0.5, test: 0.4 };
  assertEquals(tugOfWar(nothing, { ...retrained, retain: 1 }), 0);
});

Deno.test("tugOfWar refuses percent and what is not a number", () => {
  const fair = { retain: 1, forget: 0, test: 0.5 };
  for (const wrong of [50, -0.1, 1.001, NaN]) {
    assertThrows(() => tugOfWar({ ...fair, test: wrong }, fair), RangeError, "test: ");
    assertThrows(() => tugOfWar(fair, { ...fair, forget: wrong }), RangeError, "forget: ");
  }
});
