import { assert, assertAlmostEquals, assertEquals, assertThrows } from "@std/assert";
import { LetheError } from "../lib/error.ts";
import { Random } from "../lib/random.ts";

Deno.test("Random.bits gives the published xoshiro128** sequence from state 1, 2, 3, 4", () => {
  const random = Random.fromState({ key: "", words: [1, 2, 3, 4] });
  assertEquals(Array.from({ length: 10 }, () => random.bits()), [
    11520,
    0,
    5927040,
    70819200,
    2031721883,
    1637235492,
    1287239034,
    3734860849,
    3729100597,
    4258142804,
  ]);
});

Deno.test("Random repeats for a seed and stream, and differs for others", () => {
  const first = (seed: number, stream: string) => {
    const random = new Random(seed, stream);
    return [random.bits(), random.uniform(), random.normal(), random.integer(10)];
  };
  // SHA-256 of the bytes `[0,"split"]`, so these hold on every platform.
  assertEquals(new Random(0, "split").state().words, [281459159, 29684268, 1835627829, 3428225831]);
  assertEquals(first(3, "a"), first(3, "a"));
  assert(first(3, "a")[0] !== first(4, "a")[0]);
  assert(first(3, "a")[0] !== first(3, "b")[0]);
});

Deno.test("Random refuses a seed that is not a safe integer", () => {
  for (const seed of [0.5, NaN, 2 ** 53]) assertThrows(() => new Random(seed, "a"), LetheError);
});

Deno.test("Random.uniform and Random.normal have the right moments", () => {
  const random = new Random(1, "moments");
  const count = 20_000;
  const moments = (draw: () => number) => {
    const values = Array.from({ length: count }, draw);
    const mean = values.reduce((a, b) => a + b) / count;
    return [1, 2, 3, 4].map((power) =>
      values.reduce((sum, x) => sum + (power === 1 ? x : (x - mean) ** power), 0) / count
    );
  };
  const uniform = moments(() => random.uniform());
  assertAlmostEquals(uniform[0], 1 / 2, 0.01);
  assertAlmostEquals(uniform[1], 1 / 12, 0.002);
  const normal = moments(() => random.normal());
  assertAlmostEquals(normal[0], 0, 0.03);
  assertAlmostEquals(normal[1], 1, 0.04);
  assertAlmostEquals(normal[2], 0, 0.1);
  assertAlmostEquals(normal[3], 3, 0.2);
});

Deno.test("Random.normal applies the polar method's formula to its own uniforms", () => {
  const random = new Random(2, "polar");
  for (let trial = 0; trial < 2000; trial++) {
    const twin = Random.fromState(random.state());
    let u, square;
    do {
      u = 2 * twin.uniform() - 1;
      const v = 2 * twin.uniform() - 1;
      square = u * u + v * v;
    } while (square >= 1);
    const expected = u * Math.sqrt(-2 * Math.log(square) / square);
    assertAlmostEquals(random.normal(), expected, 4e-15 * Math.abs(expected));
  }
});

Deno.test("Random.integer stays below n, reaches every value evenly, and refuses other n", () => {
  const random = new Random(5, "integer");
  const counts = new Array(7).fill(0);
  for (let draw = 0; draw < 7000; draw++) counts[random.integer(7)]++;
  for (const count of counts) assert(Math.abs(count - 1000) < 150, `${counts}`);
  // n = 3 * 2^30 rejects a quarter of all draws; without that, values below 2^30 come twice as often.
  let low = 0;
  for (let draw = 0; draw < 6000; draw++) low += random.integer(3 * 2 ** 30) < 2 ** 30 ? 1 : 0;
  assert(Math.abs(low - 2000) < 200, `${low}`);
  assertEquals(random.integer(1), 0);
  for (const n of [0, -1, 1.5, 2 ** 32 + 1, NaN]) {
    assertThrows(() => random.integer(n), RangeError);
  }
});

Deno.test("Random.shuffle permutes a copy and reaches every order", () => {
  const random = new Random(6, "shuffle");
  const items = ["a", "b", "c"];
  const orders = new Map<string, number>();
  for (let trial = 0; trial < 1200; trial++) {
    const order = random.shuffle(items).join("");
    orders.set(order, (orders.get(order) ?? 0) + 1);
  }
  assertEquals(items, ["a", "b", "c"]);
  assertEquals([...orders.keys()].sort(), ["abc", "acb", "bac", "bca", "cab", "cba"]);
  for (const count of orders.values()) assert(Math.abs(count - 200) < 60);
});

Deno.test("Random.fork depends on names and seed, not on the position", () => {
  const early = new Random(7, "parent");
  const late = new Random(7, "parent");
  late.bits();
  const before = late.state();
  assertEquals(late.fork("child").bits(), early.fork("child").bits());
  assertEquals(late.state(), before);
  assert(early.fork("child").bits() !== early.fork("other").bits());
  const restored = Random.fromState(JSON.parse(JSON.stringify(late.state())));
  assertEquals(restored.fork("child").bits(), early.fork("child").bits());
});

Deno.test("Random.fromState goes on where state was taken and refuses a damaged state", () => {
  const random = new Random(8, "resume");
  random.normal();
  const state = JSON.parse(JSON.stringify(random.state()));
  const expected = [random.bits(), random.uniform(), random.normal()];
  const resumed = Random.fromState(state);
  assertEquals([resumed.bits(), resumed.uniform(), resumed.normal()], expected);
  for (
    const words of [[0, 0, 0, 0], [1, 2, 3], [1, 2, 3, -1], [1, 2, 3, 0.5], [1, 2, 3, 2 ** 32]]
  ) {
    assertThrows(() => Random.fromState({ key: "", words }), LetheError);
  }
});
