import { assertEquals } from "@std/assert";
import { join } from "@std/path";
import { fileStamps, isUntouched } from "../../../lib/audit/record/file_stamps.ts";
import { inTemporaryFolder, writeFiles } from "../../data/temporary_folder.ts";

const LARGE = new Uint8Array(2 ** 22);

Deno.test("isUntouched tells a large file that nobody wrote to from one that was, whatever its times", () =>
  inTemporaryFolder(async (folder) => {
    await writeFiles(folder, { large: LARGE, other: LARGE, small: "x" });
    const [path, other] = [join(folder, "large"), join(folder, "other")];
    // Of a file that changed a moment ago a time by the second tells nothing.
    const { ctime } = await Deno.lstat(path);
    if (!ctime) return; // Windows: every file is hashed
    const [soon, later] = [ctime.getTime() + 1999, Date.now() + 3000];
    assertEquals(await isUntouched(path, await fileStamps([folder], soon)), null);
    const stamps = await fileStamps([folder], later);
    assertEquals([...stamps.keys()].sort(), [path, other]);
    assertEquals(await isUntouched(path, stamps), true);
    assertEquals(await isUntouched(join(folder, "small"), stamps), null);
    // Written to in a later second, its times set back: the system's own is not.
    // The system's time of a change may be some milliseconds behind its clock.
    while (Date.now() < ctime.getTime() + 1200) await new Promise((done) => setTimeout(done, 50));
    const { mtime, atime } = await Deno.lstat(path);
    const file = await Deno.open(path, { write: true });
    await file.write(new Uint8Array([1]));
    file.close();
    await Deno.utime(path, atime!, mtime!);
    assertEquals(await isUntouched(path, stamps), false);
    // Another file in its place.
    await Deno.rename(path, other);
    assertEquals(await isUntouched(other, stamps), false);
  }));
