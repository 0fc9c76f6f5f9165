import { assert, assertEquals, assertRejects } from "@std/assert";
import { join } from "@std/path";
import {
  buildFolder,
  refuseExisting,
  removeUnfinished,
  writeWhole,
} from "../../lib/files/write_whole.ts";
import { LetheError } from "../../lib/error.ts";
import { inTemporaryFolder } from "../data/temporary_folder.ts";

const names = (folder: string) => [...Deno.readDirSync(folder)].map((entry) => entry.name).sort();

Deno.test("writeWhole replaces a file and leaves nothing beside it", () =>
  inTemporaryFolder(async (folder) => {
    const path = join(folder, "new/sub/a.txt");
    await writeWhole(path, "first, and longer");
    await writeWhole(path, new Uint8Array([104, 105]));
    assertEquals(await Deno.readTextFile(path), "hi");
    assertEquals(names(join(folder, "new/sub")), ["a.txt"]);
  }));

Deno.test("writeWhole removes its temporary file when the name cannot be taken", () =>
  inTemporaryFolder(async (folder) => {
    await Deno.mkdir(join(folder, "taken/inner"), { recursive: true });
    const error = await assertRejects(() => writeWhole(join(folder, "taken"), "x"), LetheError);
    assertEquals(error.message.includes("taken cannot be written"), true);
    assertEquals(names(folder), ["taken"]);
  }));

Deno.test("buildFolder shows the folder only once it is complete", () =>
  inTemporaryFolder(async (folder) => {
    const path = join(folder, "out");
    const result = await buildFolder(path, async (staging) => {
      await Deno.mkdir(join(staging, "inner"));
      await Deno.writeTextFile(join(staging, "inner/a"), "1");
      await assertRejects(() => Deno.stat(path), Deno.errors.NotFound);
      return 7;
    });
    assertEquals(result, 7);
    assertEquals(await Deno.readTextFile(join(path, "inner/a")), "1");
    assertEquals(names(folder), ["out"]);
  }));

Deno.test("buildFolder passes an error on and leaves no trace", () =>
  inTemporaryFolder(async (folder) => {
    await assertRejects(
      () =>
        buildFolder(join(folder, "out"), async (staging) => {
          await Deno.writeTextFile(join(staging, "half"), "1");
          throw new RangeError("stop");
        }),
      RangeError,
      "stop",
    );
    assertEquals(names(folder), []);
  }));

Deno.test("buildFolder refuses an existing path before and after building", () =>
  inTemporaryFolder(async (folder) => {
    const path = join(folder, "out");
    await Deno.mkdir(path);
    let built = false;
    const build = () => Promise.resolve(void (built = true));
    await assertRejects(() => buildFolder(path, build), LetheError, "exists");
    assertEquals(built, false);
    await Deno.remove(path);
    await assertRejects(() => buildFolder(path, () => Deno.mkdir(path)), LetheError, "exists");
    assertEquals(names(folder), ["out"]);
  }));

Deno.test("refuseExisting sees a dangling symbolic link", () =>
  inTemporaryFolder(async (folder) => {
    await Deno.symlink(join(folder, "nowhere"), join(folder, "link"), { type: "file" });
    await assertRejects(() => refuseExisting(join(folder, "link")), LetheError, "exists");
    await refuseExisting(join(folder, "nowhere"));
  }));

Deno.test("removeUnfinished removes what a killed write left, and nothing else", () =>
  inTemporaryFolder(async (folder) => {
    const left = `.kit.${crypto.randomUUID()}.part`;
    const others = [`.kit2.${crypto.randomUUID()}.part`, ".kit.mine.part", "kit", ".kit.part"];
    await Deno.mkdir(join(folder, left));
    for (const name of [`${left}/a`, ...others]) await Deno.writeTextFile(join(folder, name), "");
    await removeUnfinished(join(folder, "kit"));
    const names = [...Deno.readDirSync(folder)].map(({ name }) => name);
    assertEquals(names.toSorted(), others.toSorted());
    await removeUnfinished(join(folder, "absent", "kit"));
  }));

Deno.test("buildFolder names the output that has no room, and never the name that it is built under", () =>
  inTemporaryFolder(async (folder) => {
    const path = join(folder, "out");
    const full = () => Promise.reject(new Error("No space left on device (os error 28)"));
    const error = await assertRejects(() => buildFolder(path, full), LetheError);
    assert(error.value.startsWith(`${path} cannot be written (No `));
    assert(error.remedy.startsWith(`make room on the disk of ${folder}, or `));
    const inside = (staging: string) =>
      writeWhole(join(staging, "a"), "").then(() => buildFolder(join(staging, "a"), full));
    const { message } = await assertRejects(() => buildFolder(path, inside), LetheError);
    assertEquals(message.split(";")[0], `${path}/a exists`);
    assertEquals(names(folder), []);
  }));
