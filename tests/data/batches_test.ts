import { assert, assertEquals } from "@std/assert";
import { Draw } from "../../lib/data/batches.ts";
import { Random } from "../../lib/random.ts";

const ITEMS = Array.from({ length: 10 }, (_, i) => 3 * i);
const all = () => true;

Deno.test("Draw gives every item once, then none, in an order that the seed decides", () => {
  const drawn = (seed: number) => {
    const draw = new Draw(ITEMS, new Random(seed, "draw"));
    return [...draw.take(4, all), ...draw.take(4, all), ...draw.take(4, all)];
  };
  assertEquals(drawn(1).toSorted((a, b) => a - b), ITEMS);
  assertEquals(drawn(1), drawn(1));
  assert(drawn(1).join() !== drawn(2).join());
});

Deno.test("Draw takes no more of a list than it gives", () => {
  // Of a list that no memory holds; shuffling it would never end.
  let looks = 0;
  const items = new Proxy({ length: 2 ** 31 }, {
    get: (list, key) => key === "length" ? list.length : (looks++, Number(key)),
  }) as ArrayLike<number>;
  const drawn = new Draw(items, new Random(0, "long list")).take(100, (item) => item % 2 === 0);
  assertEquals(new Set(drawn).size, 100);
  assert(looks < 1000, `${looks} looks`);
});

Deno.test("Draw passes over what is not wanted", () => {
  const draw = new Draw(ITEMS, new Random(0, "draw"));
  const even = draw.take(ITEMS.length, (item) => item % 2 === 0);
  assertEquals(even.toSorted((a, b) => a - b), ITEMS.filter((item) => item % 2 === 0));
});

Deno.test("Draw gives each place to every item about equally often", () => {
  const random = new Random(3, "draw");
  const counts = ITEMS.map(() => ITEMS.map(() => 0));
  for (let turn = 0; turn < 4000; turn++) {
    new Draw(ITEMS, random).take(10, all).forEach((item, place) => counts[place][item / 3]++);
  }
  // 400 each, with a standard deviation of 19.
  for (const count of counts.flat()) assert(Math.abs(count - 400) < 100, `${count}`);
});
