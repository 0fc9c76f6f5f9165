import { LetheError } from "../../lib/error.ts";
import { followOrders } from "../../lib/threads/orders.ts";
import { answerQuestions } from "../../lib/threads/questions.ts";

/** What these tests ask: to be answered after some milliseconds, refused, failed or ended. */
export type Question = { after: number; say: string } | "refuse" | "fail" | "throw outside";

const told: string[] = [];

answerQuestions("questions", async (question: Question) => {
  if (question === "refuse") throw new LetheError("the value", "the rule", "the remedy");
  if (question === "fail") throw new RangeError("out of range");
  if (question === "throw outside") {
    setTimeout(() => {
      throw new Error("thrown outside");
    });
    return await new Promise<string>(() => {});
  }
  told.push(question.say);
  await new Promise((resolve) => setTimeout(resolve, question.after));
  return told.join(" ");
});

followOrders("orders", async (steps: number, onProgress) => {
  for (let done = 1; done <= steps; done++) onProgress({ done, total: steps });
  if (steps === 0) throw new LetheError("0 steps", "an order has some", "order more");
  await Promise.resolve();
});
