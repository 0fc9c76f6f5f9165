import { assertAlmostEquals, assertEquals, assertThrows } from "@std/assert";
import {
  binByDistance,
  nearestForgotten,
  supportDistances,
} from "../../lib/measure/feature_distance.ts";

const forget = {
  identities: ["a", "b", "a"],
  features: [0, 0, 10, 0, 0, 2], // centroids: a (0, 1), b (10, 0)
};

Deno.test("supportDistances measures from the support image to the centroid of the forget images", () => {
  const support = { identities: ["b", "a"], features: [10, 3, 4, 4] };
  const distances = supportDistances(support, forget, 2);
  assertEquals([...distances.keys()], ["a", "b"]);
  assertAlmostEquals(distances.get("a")!, 5, 1e-12);
  assertAlmostEquals(distances.get("b")!, 3, 1e-12);
  const partial = { identities: ["b"], features: [10, 3] };
  assertThrows(() => supportDistances(partial, forget, 2), RangeError, "a has no support image");
});

Deno.test("nearestForgotten finds the nearest centroid of each retained person", () => {
  const retain = { identities: ["x", "y", "x"], features: [3, 1, 10, 4, 5, 1] }; // x (4, 1)
  assertEquals(
    [...nearestForgotten(retain, forget, 2)],
    [["x", { nearest: "a", distance: 4 }], ["y", { nearest: "b", distance: 4 }]],
  );
  const nobody = { identities: [], features: [] };
  assertThrows(() => nearestForgotten(retain, nobody, 2), RangeError, "nobody");
});

Deno.test("binByDistance makes bins of equally many points in order of distance", () => {
  const points = [[5, 50], [1, 10], [4, 40], [2, 20], [3, 30]]
    .map(([distance, value]) => ({ distance, value }));
  assertEquals(binByDistance(points, 2), [
    { from: 1, to: 2, people: 2, mean: 15 },
    { from: 3, to: 5, people: 3, mean: 40 },
  ]);
  assertEquals(binByDistance(points.slice(0, 1), 5), [{ from: 5, to: 5, people: 1, mean: 50 }]);
  assertEquals(binByDistance([], 5), []);
});

Deno.test("nearestForgotten takes features some rows at a time, to the same bits", () => {
  const features = Float32Array.from({ length: 2 * 50 }, (_, i) => Math.sin(i));
  const identities = Array.from({ length: 50 }, (_, i) => `p${i % 7}`);
  const pieces = function* () {
    for (let at = 0; at < features.length; at += 6) yield features.subarray(at, at + 6);
  };
  assertEquals(
    nearestForgotten({ identities, features: pieces }, forget, 2),
    nearestForgotten({ identities, features }, forget, 2),
  );
});
