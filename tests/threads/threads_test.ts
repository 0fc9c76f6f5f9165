import { assertEquals, assertRejects } from "@std/assert";
import { LetheError } from "../../lib/error.ts";
import { giveOrder } from "../../lib/threads/orders.ts";
import { questionsTo } from "../../lib/threads/questions.ts";
import type { Question } from "./answering_worker.ts";

function worker(name: string): Worker {
  return new Worker(new URL("./answering_worker.ts", import.meta.url), { type: "module", name });
}

Deno.test("questionsTo gives every question its own answer, whichever comes first", async () => {
  using thread = questionsTo<Question>(worker("questions"));
  thread.tell({ after: 0, say: "a" });
  const slow = thread.ask<string>({ after: 60, say: "b" });
  const quick = thread.ask<string>({ after: 0, say: "c" });
  assertEquals(await Promise.race([slow, quick]), "a b c");
  assertEquals(await slow, "a b c");
});

Deno.test("questionsTo throws what the worker refused, and what it met with", async () => {
  using thread = questionsTo<Question>(worker("questions"));
  const refused = await assertRejects(() => thread.ask("refuse"), LetheError);
  assertEquals([refused.value, refused.rule, refused.remedy], [
    "the value",
    "the rule",
    "the remedy",
  ]);
  await assertRejects(() => thread.ask("fail"), Error, "out of range");
  assertEquals(await thread.ask<string>({ after: 0, say: "on" }), "on");
});

Deno.test("questionsTo fails every question in flight when the worker throws or is closed", async () => {
  const thread = questionsTo<Question>(worker("questions"));
  await assertRejects(() => thread.ask("throw outside"), Error, "thrown outside");
  thread[Symbol.dispose]();
  const closed = questionsTo<Question>(worker("questions"));
  const asked = closed.ask<string>({ after: 10_000, say: "never" });
  closed[Symbol.dispose]();
  await assertRejects(() => asked, Error, "the thread was closed");
});

Deno.test("giveOrder ends with the order, tells the last progress and throws what was refused", async () => {
  const thread = worker("orders");
  try {
    let last = 0;
    await giveOrder<number, { done: number }>(thread, 1000, ({ done }) => last = done);
    assertEquals(last, 1000);
    await assertRejects(() => giveOrder(thread, 0), LetheError, "an order has some");
  } finally {
    thread.terminate();
  }
});
