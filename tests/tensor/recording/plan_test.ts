import { assert, assertEquals } from "@std/assert";
import { newPlace, touch } from "../../../lib/tensor/recording/place.ts";
import { planMemory } from "../../../lib/tensor/recording/plan.ts";
import { Random } from "../../../lib/random.ts";

function placeOf(bytes: number, ...programs: number[]) {
  const place = newPlace(bytes);
  for (const program of programs) touch(place, program);
  return place;
}

Deno.test("planMemory shares a buffer between places whose lives do not overlap", () => {
  const [a, b, c] = [placeOf(64, 0, 1), placeOf(32, 2, 3), placeOf(64, 1, 2)];
  const shared = planMemory([a, b, c]);
  assertEquals(shared.map(({ bytes, places }) => [bytes, places]), [[64, [a, b]], [64, [c]]]);
});

Deno.test("planMemory leaves a place alone that is to stay zero between its parts", () => {
  const [a, b] = [{ ...placeOf(64, 0, 1), alone: true }, placeOf(32, 2, 3)];
  assertEquals(planMemory([a, b]).length, 2);
});

Deno.test("planMemory never puts two places that live at once into one buffer", () => {
  const random = new Random(1, "plan");
  const places = Array.from({ length: 200 }, () => {
    const first = random.integer(300);
    return placeOf(4 * (1 + random.integer(1000)), first, first + random.integer(20));
  });
  const shared = planMemory(places);
  assertEquals(shared.reduce((sum, { places }) => sum + places.length, 0), places.length);
  for (const { bytes, places } of shared) {
    for (const [i, a] of places.entries()) {
      assert(a.bytes <= bytes);
      for (const b of places.slice(i + 1)) assert(a.last < b.first || b.last < a.first);
    }
  }
  const live = (at: number) =>
    places.filter(({ first, last }) => first <= at && at <= last)
      .reduce((sum, place) => sum + place.bytes, 0);
  const least = Math.max(...Array.from({ length: 320 }, (_, at) => live(at)));
  assert(shared.reduce((sum, { bytes }) => sum + bytes, 0) < 1.5 * least);
});
