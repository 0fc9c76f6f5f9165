import { finishBeforeExit } from "../../lib/files/finish_before_exit.ts";
import { followOrders } from "../../lib/threads/orders.ts";

/** What the worker of the tests is started as. */
export const FINISHING_WORKER = "finishing";

// Finishes something until the file of the order is there; then fails where it says so.
followOrders<{ path: string }, { done: number; total: number }>(
  FINISHING_WORKER,
  async ({ path }) => {
    await finishBeforeExit(async () => {
      while (!await Deno.lstat(path).then(() => true, () => false)) {
        await new Promise((resolve) => setTimeout(resolve, 5));
      }
    });
    if (await Deno.readTextFile(path) === "fail") throw new Error("as ordered");
  },
);
