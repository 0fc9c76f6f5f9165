import { assertEquals, assertRejects } from "@std/assert";
import { containedCommand, type Walls } from "../../../lib/audit/sandbox/containment.ts";
import { LetheError } from "../../../lib/error.ts";

/** Walls around a worker that may read so many photographs. */
const walls = (photographs: number): Walls => ({
  ...{ entry: "/lethe/lib/worker.ts", modules: [], args: ["/run/job.json"], write: "/out" },
  read: Array.from({ length: photographs }, (_, i) => `/requests/${i}.png`),
  ...{ denoDir: "/cache", runFolder: "/run", drivers: [], permissionLog: null, trace: null },
});

// Bubblewrap ended with "Exceeded maximum number of arguments 9000", and the worker without an answer.
Deno.test("containedCommand refuses more files than bubblewrap can be told of, before any is opened", async () => {
  await assertRejects(
    () => containedCommand("bubblewrap", walls(3000)),
    LetheError,
    "3000 files to read in one run; bubblewrap takes 9000 words",
  );
  const { argv } = await containedCommand("bubblewrap", walls(2500));
  assertEquals(argv.includes("/requests/2499.png"), true);
  const without = await containedCommand("deno", walls(3000));
  assertEquals(without.permissions.join().includes("/requests/2999.png"), true);
});
