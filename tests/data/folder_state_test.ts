import { assert, assertEquals } from "@std/assert";
import { join } from "@std/path";
import { folderState, isUnchanged } from "../../lib/data/folder_state.ts";
import { inTemporaryFolder, writeFiles } from "./temporary_folder.ts";

for (const [how, listed] of [["names", 100], ["time of change", 0]] as const) {
  Deno.test(`isUnchanged sees, by its ${how}, any name that comes, goes or changes`, () =>
    inTemporaryFolder(async (folder) => {
      await writeFiles(folder, { "labels.txt": "a", "x/1.png": "1", "x/y/2.jpg": "2" });
      const changes: (() => Promise<void>)[] = [
        () => Deno.remove(join(folder, "x/y/2.jpg")),
        () => Deno.rename(join(folder, "x/1.png"), join(folder, "x/3.png")),
        () => Deno.writeTextFile(join(folder, "x/y/4.webp"), "4"),
        () => Deno.mkdir(join(folder, "x/z")),
        () => Deno.writeTextFile(join(folder, "labels.txt"), "b"),
      ];
      for (const change of changes) {
        // A time of its own, whatever the file system's steps are.
        for (const path of ["", "x", "x/y"]) await Deno.utime(join(folder, path), 1, 1);
        const state = await folderState(folder, listed);
        assert(isUnchanged(folder, state));
        await change();
        assertEquals(isUnchanged(folder, state), false);
      }
    }));
}

Deno.test("isUnchanged lets come and go what no layout looks at", () =>
  inTemporaryFolder(async (folder) => {
    await writeFiles(folder, { "labels.csv": "a", "1.png": "1" });
    const state = await folderState(folder);
    await writeFiles(folder, { "split.json": "{}", "split.json.index": "" });
    assert(isUnchanged(folder, state));
  }));
