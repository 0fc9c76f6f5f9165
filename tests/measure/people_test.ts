import { assertAlmostEquals, assertEquals } from "@std/assert";
import { positionsByPerson } from "../../lib/measure/people.ts";
import { perPerson } from "../../lib/measure/people.ts";

Deno.test("positionsByPerson keeps the order of first images", () => {
  assertEquals([...positionsByPerson(["b", "a", "b"])], [["b", [0, 2]], ["a", [1]]]);
});

Deno.test("perPerson measures each person's own images", () => {
  const people = perPerson("multi-label", {
    identities: ["b", "a", "b"],
    // Two labels; of b the first is ranked right, the second has no positive.
    logits: [3, 0, -1, 2, -2, 1],
    targets: [1, 0, 0, 1, 0, 0],
  }, 2);
  assertEquals([...people.keys()], ["b", "a"]);
  assertEquals([people.get("b")!.images, people.get("b")!.metric], [2, 1]);
  const loss = (x: number, y: number) => Math.log1p(Math.exp(y === 1 ? -x : x));
  const due = (loss(3, 1) + loss(0, 0) + loss(-2, 0) + loss(1, 0)) / 4;
  assertAlmostEquals(people.get("b")!.loss, due, 1e-7);
});

Deno.test("perPerson takes the accuracy of classes", () => {
  const people = perPerson("classes", {
    identities: ["a", "a", "c"],
    logits: [2, 1, 0, 1, 5, 6],
    targets: [1, 0, 1, 0, 0, 1],
  }, 2);
  assertEquals([people.get("a")!.metric, people.get("c")!.metric], [1 / 2, 1]);
});
