import { assertEquals } from "@std/assert";
import { join } from "@std/path";
import { smallFile } from "../../../lib/audit/layers/small_file.ts";
import { inTemporaryFolder, writeFiles } from "../../data/temporary_folder.ts";

Deno.test("smallFile gives the smallest plain file, however deep it lies", () =>
  inTemporaryFolder(async (folder) => {
    assertEquals(await smallFile(folder), null);
    assertEquals(await smallFile(join(folder, "gone")), null);
    await writeFiles(folder, {
      "labels.txt": "x".repeat(5000),
      "images/a.png": "xxx",
      "images/below/b.png": "x",
    });
    await Deno.symlink(join(folder, "nowhere"), join(folder, "link"));
    assertEquals(await smallFile(folder), join(folder, "images/below/b.png"));
  }));

Deno.test("smallFile takes one of the first, where there are many", () =>
  inTemporaryFolder(async (folder) => {
    const names = Array.from({ length: 300 }, (_, i) => `${i}.png`);
    await writeFiles(folder, Object.fromEntries(names.map((name) => [name, "xx"])));
    await writeFiles(folder, { "z/last.png": "" });
    const found = await smallFile(folder);
    // The empty one lies beyond what is looked at.
    assertEquals(found?.startsWith(folder) && found.endsWith("z/last.png"), false, `${found}`);
  }));
