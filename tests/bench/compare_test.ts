import { assertEquals } from "@std/assert";
import { compare, spread } from "../../lib/bench/compare.ts";

Deno.test("spread is the median between least and largest", () => {
  assertEquals(spread([3, 1, 2]), { median: 2, min: 1, max: 3 });
  assertEquals(spread([4, 1, 2, 3]), { median: 2.5, min: 1, max: 4 });
});

Deno.test("compare takes turns after a warm-up of each", async () => {
  const done: string[] = [];
  const wait = () => new Promise<void>((resolve) => setTimeout(resolve, 120));
  const run = (name: string) => async (times: number) => {
    assertEquals(times, 1);
    done.push(name);
    await wait();
  };
  const { repetitions } = await compare(
    { ours: run("ours"), stock: run("stock") },
    { repetitions: 2, seconds: 60, turn: 0.1 },
    async (first, side) => {
      done.push(`warm up ${side}`);
      await first();
    },
  );
  assertEquals(repetitions, 2);
  assertEquals(done, [
    ...["warm up ours", "ours", "ours", "warm up stock", "stock", "stock"],
    ...["ours", "stock", "ours", "stock"],
  ]);
});
