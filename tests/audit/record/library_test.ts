import { assert, assertEquals, assertThrows } from "@std/assert";
import { join } from "@std/path";
import { hashLibrary } from "../../../lib/audit/record/library.ts";
import { LetheError } from "../../../lib/error.ts";
import { inTemporaryFolder, writeFiles } from "../../data/temporary_folder.ts";

Deno.test("hashLibrary changes with every file, hidden ones and those that nothing imports too", () =>
  inTemporaryFolder(async (folder) => {
    await writeFiles(folder, { "lib/a.ts": "1", "lib/b/c.ts": "2", "mod.ts": "3" });
    const before = hashLibrary(folder);
    assertEquals(before.files, 2);
    await writeFiles(folder, { "mod.ts": "4" });
    assertEquals(hashLibrary(folder), before);
    for (const path of ["lib/b/.photos", "lib/more.ts", "lib/a.ts"]) {
      const last = hashLibrary(folder).sha256;
      await writeFiles(folder, { [path]: "new" });
      assert(hashLibrary(folder).sha256 !== last, path);
    }
    await Deno.symlink("a.ts", join(folder, "lib/link.ts"));
    assertThrows(() => hashLibrary(folder), LetheError, "link.ts is a link");
  }));
