import { assert, assertEquals } from "@std/assert";
import { join } from "@std/path";
import { folderState, isUnchanged } from "../../lib/data/folder_state.ts";
import { inTemporaryFolder, writeFiles } from "./temporary_folder.ts";

for (const [how, listed] of [["names", 100], ["time of change and sum", 0]] as const) {
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
        assert(await isUnchanged(folder, state));
        await change();
        assertEquals(await isUnchanged(folder, state), false);
      }
    }));
}

Deno.test("isUnchanged lets come and go what no layout looks at", () =>
  inTemporaryFolder(async (folder) => {
    await writeFiles(folder, { "labels.csv": "a", "1.png": "1" });
    const state = await folderState(folder);
    await writeFiles(folder, { "split.json": "{}", "split.json.index": "" });
    assert(await isUnchanged(folder, state));
  }));

Deno.test("isUnchanged knows a folder of many names in a copy, and one that was touched", () =>
  inTemporaryFolder(async (folder) => {
    const files = { "labels.txt": "a", "x/1.png": "1", "x/2.png": "2", "x/y/3.jpg": "3" };
    const [one, copy] = [join(folder, "one"), join(folder, "copy")];
    await writeFiles(one, files);
    // In another order.
    await writeFiles(copy, Object.fromEntries(Object.entries(files).reverse()));
    for (const path of ["", "x", "x/y"]) {
      await Deno.utime(join(one, path), 1, 1);
      await Deno.utime(join(copy, path), 2, 2);
    }
    const state = await folderState(one, 0);
    assert(await isUnchanged(copy, state));
    await Deno.writeTextFile(join(one, "x", "4.png"), "");
    await Deno.remove(join(one, "x", "4.png"));
    assert(await isUnchanged(one, state));
    await Deno.rename(join(copy, "x", "2.png"), join(copy, "x", "4.png"));
    assertEquals(await isUnchanged(copy, state), false);
    // As an index of before has it.
    const times = { ...state, folders: { "": 1000, "x": 1000, "x/y": 1000 } };
    for (const path of ["", "x", "x/y"]) await Deno.utime(join(one, path), 1, 1);
    assert(await isUnchanged(one, times));
    assertEquals(await isUnchanged(copy, times), false);
  }));
