import { assertEquals, assertStringIncludes } from "@std/assert";
import { join } from "@std/path";
import { inTemporaryFolder } from "../data/temporary_folder.ts";
import { done } from "../e2e/run_task.ts";

const BRIEFLY = "--preset vit_demo_patch8_32 --batch 2 --support 2 --repetitions 1 --seconds 0";

Deno.test("bench --history adds a run to its file with the rights of its task, and draws all of them", () =>
  inTemporaryFolder(async (folder) => {
    const args = `--parts steps --device wasm ${BRIEFLY} --history bench.json`.split(" ");
    for (const runs of [1, 2]) {
      await done("bench", args, folder);
      const history = JSON.parse(await Deno.readTextFile(join(folder, "bench.json")));
      assertEquals(history.length, runs);
      const drawn = await Deno.readTextFile(join(folder, "bench.svg"));
      assertStringIncludes(drawn, "</svg>");
    }
  }));
