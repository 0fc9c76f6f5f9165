import { assert, assertAlmostEquals, assertEquals } from "@std/assert";
import { Random } from "../../../lib/random.ts";
import { cosineDistance, photographMatch } from "../../../lib/unlearn/memory/photograph_match.ts";

/** People around directions of their own; the spread says how alike one person's photographs are. */
function people(spread: number) {
  const random = new Random(2, "features");
  const draw = () => Float32Array.from({ length: 24 }, () => random.normal());
  return Array.from({ length: 40 }, () => {
    const centre = draw();
    return Array.from({ length: 10 }, () => draw().map((x, i) => centre[i] + spread * x));
  });
}

Deno.test("cosineDistance is 0 for one direction, 2 for the opposite and 1 for no direction", () => {
  const a = Float32Array.of(1, 2, -1);
  assertAlmostEquals(cosineDistance(a, a.map((x) => 3 * x)), 0, 1e-6);
  assertAlmostEquals(cosineDistance(a, a.map((x) => -x)), 2, 1e-6);
  assertEquals(cosineDistance(a, new Float32Array(3)), 1);
});

Deno.test("photographMatch lets 99 % of people's own photographs pass, and strangers only where features cannot tell", () => {
  const apart = photographMatch(people(0.3))!;
  assert(apart.refusesOwn <= 0.01 && apart.refusesOthers > 0.95, JSON.stringify(apart));
  const alike = photographMatch(people(20))!;
  assert(alike.refusesOwn <= 0.01 && alike.refusesOthers < 0.1, JSON.stringify(alike));
  assertEquals(photographMatch(people(1).map((photographs) => photographs.slice(0, 1))), null);
});
