import { assert, assertEquals, assertThrows } from "@std/assert";
import { Random } from "../../../lib/random.ts";
import { simulateRequests } from "../../../lib/unlearn/meta_unlearn/simulate_requests.ts";

const people = [3, 1, 4, 2, 5].map((count, row) => ({
  row,
  images: Array.from({ length: count }, (_, i) => row * 10 + i),
}));

Deno.test("simulateRequests asks for everyone once, and fills the last request from the start", () => {
  const requests = simulateRequests(people, 2, new Random(0, "requests"));
  assertEquals(requests.map(({ rows }) => rows.length), [2, 2, 2]);
  const order = requests.flatMap(({ rows }) => rows);
  assertEquals(order.slice(0, 5).toSorted(), [0, 1, 2, 3, 4]);
  assertEquals(order[5], order[0]);
});

Deno.test("simulateRequests forgets every image of the people but the support image", () => {
  for (const { rows, support, forget } of simulateRequests(people, 3, new Random(1, "r"))) {
    rows.forEach((row, i) => {
      const { images } = people[row];
      assert(images.includes(support[i]));
      const own = forget.filter((image) => images.includes(image));
      assertEquals(own, images.length === 1 ? images : images.filter((x) => x !== support[i]));
    });
    assertEquals(forget.length, new Set(forget).size);
  }
});

Deno.test("simulateRequests refuses a request larger than the number of people", () => {
  assertThrows(() => simulateRequests(people, 6, new Random(0, "r")), RangeError, "5 people");
});
