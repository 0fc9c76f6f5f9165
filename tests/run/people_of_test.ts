import { assertEquals } from "@std/assert";
import type { Sample, Samples } from "../../lib/data/sample.ts";
import { peopleOf } from "../../lib/run/memory/people_of.ts";

const samplesOf = (count: number, identityOf: (i: number) => string): Samples => {
  const sample = (i: number): Sample => ({ file: "", identity: identityOf(i), targets: [] });
  return {
    forEach(visit: (sample: Sample, i: number) => void) {
      for (let i = 0; i < count; i++) visit(sample(i), i);
    },
  } as Samples; // all that is asked of them here
};

Deno.test("peopleOf gives everybody their images, in the order of their names", () => {
  const { identities, people } = peopleOf(samplesOf(5, (i) => "cabca"[i]), 10);
  assertEquals(identities, ["a", "b", "c"]);
  assertEquals(people, [
    { row: 0, images: [11, 14] },
    { row: 1, images: [12] },
    { row: 2, images: [10, 13] },
  ]);
});

Deno.test("peopleOf goes through a million images of one person: a list copied for each would never end", () => {
  const { people: [only] } = peopleOf(samplesOf(1_000_000, () => "one"), 0);
  assertEquals([only.images.length, only.images.at(-1)], [1_000_000, 999_999]);
});
