import { assertEquals, assertRejects } from "@std/assert";
import { finishBeforeExit, finished, isFinishing } from "../../lib/files/finish_before_exit.ts";

Deno.test("finished waits for the last of what is being finished, and for nothing when there is none", async () => {
  const order: string[] = [];
  const [first, second] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  await finished();
  const one = finishBeforeExit(() => first.promise.then(() => order.push("one")));
  const two = finishBeforeExit(() => second.promise.then(() => order.push("two")));
  const end = finished().then(() => order.push("end"));
  assertEquals(isFinishing(), true);
  second.resolve();
  await two;
  first.resolve();
  await Promise.all([one, end]);
  assertEquals([order, isFinishing()], [["two", "one", "end"], false]);
});

Deno.test("finishBeforeExit counts work that fails as ended, and passes the error on", async () => {
  await assertRejects(
    () => finishBeforeExit(() => Promise.reject(new Error("full"))),
    Error,
    "full",
  );
  assertEquals(isFinishing(), false);
  await finished();
});
