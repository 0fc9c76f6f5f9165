import { assertEquals, assertNotEquals } from "@std/assert";
import { join } from "@std/path";
import { hashFile, hashPackage, hashTree } from "../../../lib/audit/record/hash_files.ts";
import { sha256Hex } from "../../../lib/files/sha256.ts";
import { inTemporaryFolder, writeFiles } from "../../data/temporary_folder.ts";

const hash = (text: string) => sha256Hex(new TextEncoder().encode(text));

Deno.test("hashFile and hashTree hash what lies there, in the order of the paths", () =>
  inTemporaryFolder(async (folder) => {
    await writeFiles(folder, { "b": "two", "a/c": "", "a/b": "one" });
    assertEquals(await hashTree(folder), [
      { path: "a/b", sha256: hash("one"), bytes: 3 },
      { path: "a/c", sha256: hash(""), bytes: 0 },
      { path: "b", sha256: hash("two"), bytes: 3 },
    ]);
    const large = new Uint8Array(3 * 2 ** 20 + 1).fill(7);
    await Deno.writeFile(join(folder, "large"), large);
    const { sha256, bytes } = await hashFile(join(folder, "large"));
    assertEquals([sha256, bytes], [sha256Hex(large), large.length]);
  }));

Deno.test("hashPackage changes with every file that can be loaded, its name included, and no other", () =>
  inTemporaryFolder(async (folder) => {
    const files = { "package.json": "{}", "dist/a.js": "1", "dist/a.js.map": "m", "a.wasm": "w" };
    await writeFiles(folder, files);
    const before = hashPackage(folder);
    await writeFiles(folder, { "dist/a.js.map": "other", "README.md": "new" });
    assertEquals(hashPackage(folder), before);
    for (const [name, content] of [["dist/a.js", "2"], ["b.cjs", ""], ["a.wasm", "x"]]) {
      const last = hashPackage(folder);
      await writeFiles(folder, { [name]: content });
      assertNotEquals(hashPackage(folder), last);
    }
    const last = hashPackage(folder);
    await Deno.rename(join(folder, "b.cjs"), join(folder, "c.cjs"));
    assertNotEquals(hashPackage(folder), last);
  }));
