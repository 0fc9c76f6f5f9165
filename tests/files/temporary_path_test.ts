import { assertEquals, assertRejects } from "@std/assert";
import { join } from "@std/path";
import { withTemporaryPath } from "../../lib/files/temporary_path.ts";
import { inTemporaryFolder, writeFiles } from "../data/temporary_folder.ts";

const names = (folder: string) => [...Deno.readDirSync(folder)].map((entry) => entry.name);

Deno.test("withTemporaryPath removes what lies there when the work is done or has failed", () =>
  inTemporaryFolder(async (folder) => {
    const path = join(folder, "staging");
    const work = () => writeFiles(path, { "inner/a": "1" });
    await withTemporaryPath(path, work);
    assertEquals(names(folder), []);
    const failing = () => work().then(() => Promise.reject(new RangeError("stop")));
    await assertRejects(() => withTemporaryPath(path, failing), RangeError, "stop");
    assertEquals(names(folder), []);
  }));

Deno.test("withTemporaryPath leaves what was moved to another name", () =>
  inTemporaryFolder(async (folder) => {
    const path = join(folder, "staging");
    const result = await withTemporaryPath(path, async () => {
      await Deno.writeTextFile(path, "1");
      await Deno.rename(path, join(folder, "done"));
      return 7;
    });
    assertEquals([result, names(folder)], [7, ["done"]]);
  }));
