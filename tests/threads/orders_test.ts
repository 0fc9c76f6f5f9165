import { assertEquals, assertRejects } from "@std/assert";
import { join } from "@std/path";
import { finished, isFinishing } from "../../lib/files/finish_before_exit.ts";
import { giveOrder } from "../../lib/threads/orders.ts";
import { inTemporaryFolder } from "../data/temporary_folder.ts";
import { FINISHING_WORKER } from "./finishing_worker.ts";

Deno.test("giveOrder holds what its worker is finishing, until that is finished or the worker fails", () =>
  inTemporaryFolder(async (folder) => {
    const worker = new Worker(new URL("./finishing_worker.ts", import.meta.url), {
      type: "module",
      name: FINISHING_WORKER,
    });
    try {
      for (const word of ["end", "fail"]) {
        const path = join(folder, word);
        const order = giveOrder(worker, { path });
        order.catch(() => {}); // told below
        while (!isFinishing()) await new Promise((resolve) => setTimeout(resolve, 5));
        await Deno.writeTextFile(`${path}.part`, word);
        await Deno.rename(`${path}.part`, path);
        await finished();
        if (word === "end") await order;
        else await assertRejects(() => order, Error, "as ordered");
        assertEquals(isFinishing(), false);
      }
    } finally {
      worker.terminate();
    }
  }));
