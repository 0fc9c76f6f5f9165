import { assertEquals, assertRejects } from "@std/assert";
import { prefetch } from "../../../lib/data/loader/prefetch.ts";

Deno.test("prefetch gives pieces in order and asks for no more than its bound ahead", async () => {
  const asked: number[] = [];
  const load = (piece: readonly number[]) => {
    asked.push(piece[0]);
    return Promise.resolve(piece[0]);
  };
  const found: [number, number][] = [];
  const pieces = [[0, 0], [1, 1], [2, 2], [3, 3], [4, 4]];
  for await (const piece of prefetch(pieces, load, 3)) found.push([piece, asked.at(-1)!]);
  // Two pieces of two reach the bound of three.
  assertEquals(found, [[0, 2], [1, 3], [2, 4], [3, 4], [4, 4]]);
  assertEquals(asked, [0, 1, 2, 3, 4]);
});

Deno.test("prefetch tells what is wrong with a piece in that piece's turn", async () => {
  const load = ([item]: readonly number[]) =>
    item === 1 ? Promise.reject(new RangeError("one")) : Promise.resolve(item);
  const pieces = prefetch([[0], [1], [2]], load, 10);
  assertEquals((await pieces.next()).value, 0);
  await assertRejects(() => pieces.next(), RangeError, "one");
});

Deno.test("prefetch asks for the first pieces before any is taken", () => {
  const asked: number[] = [];
  const load = ([item]: readonly number[]) => (asked.push(item), Promise.resolve(item));
  prefetch([[0], [1], [2], [3]], load, 2);
  assertEquals(asked, [0, 1, 2]);
  prefetch<number, number>([], load, 2);
  assertEquals(asked, [0, 1, 2]);
});

Deno.test("prefetch looks at no more pieces than it asks for", async () => {
  let made = 0;
  const pieces = function* () {
    while (true) yield [made++];
  };
  const found = prefetch(pieces(), ([item]) => Promise.resolve(item), 2);
  assertEquals(made, 3);
  for (const due of [0, 1, 2]) assertEquals((await found.next()).value, due);
  assertEquals(made, 5);
  await found.return();
});
