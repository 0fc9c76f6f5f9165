import { assertEquals, assertRejects } from "@std/assert";
import { join } from "@std/path";
import { listFolder } from "../../lib/files/list_folder.ts";
import { LetheError } from "../../lib/error.ts";
import { inTemporaryFolder, writeFiles } from "../data/temporary_folder.ts";

Deno.test("listFolder gives entries, or says what is at the path instead", () =>
  inTemporaryFolder(async (folder) => {
    await writeFiles(folder, { "a.txt": "x", "sub/b.txt": "x" });
    const entries = await listFolder(folder, "a rule");
    assertEquals(entries.map(({ name }) => name).sort(), ["a.txt", "sub"]);
    const refuses = (path: string, message: string) =>
      assertRejects(() => listFolder(join(folder, path), "a rule"), LetheError, message);
    await refuses("none", "none does not exist; a rule: check the path");
    await refuses("a.txt", "a.txt is not a folder; a rule");
  }));

Deno.test({
  name: "listFolder says so when reading is not permitted",
  permissions: { read: false },
  fn: async () => {
    await assertRejects(() => listFolder("/tmp", "a rule"), LetheError, "/tmp cannot be read (");
  },
});
