import { assertEquals, assertRejects } from "@std/assert";
import { Reads } from "../../lib/tensor/reads.ts";

Deno.test("Reads.add lets some reads be open and then waits for the oldest", async () => {
  const reads = new Reads();
  const done: number[] = [];
  const pending = Array.from({ length: 4 }, () => Promise.withResolvers<void>());
  let added = 0;
  const adding = (async () => {
    for (const [i, { promise }] of pending.entries()) {
      await reads.add(promise.then(() => void done.push(i)));
      added++;
    }
    await reads.finish();
  })();
  await new Promise((resolve) => setTimeout(resolve));
  assertEquals(added, 2, "the third waits for the first");
  pending[0].resolve();
  await new Promise((resolve) => setTimeout(resolve));
  assertEquals(added, 3);
  pending.toReversed().forEach(({ resolve }) => resolve());
  await adding;
  assertEquals(done.toSorted(), [0, 1, 2, 3], "finish waits for all");
});

Deno.test("Reads.finish throws what a read met with", async () => {
  const reads = new Reads();
  await reads.add(Promise.reject(new Error("the device was lost")));
  await assertRejects(() => reads.finish(), Error, "the device was lost");
});
