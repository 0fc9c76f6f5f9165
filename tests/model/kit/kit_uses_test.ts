import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { join } from "@std/path";
import { LetheError } from "../../../lib/error.ts";
import { beginUse, refuseUsed, type UseOptions } from "../../../lib/model/kit/kit_uses.ts";
import {
  earlierUsesPath,
  readMarks,
  usesOf,
  usesPath,
} from "../../../lib/model/kit/uses_record.ts";
import { inTemporaryFolder } from "../../data/temporary_folder.ts";

const THIS = "1".repeat(64);
const OTHER = "2".repeat(64);
const NEXT = "3".repeat(64);

/** Runs a test with a kit's place and the options of a use of it. */
const onUse = (
  body: (use: { kit: string; id: string; out: string }) => Promise<void>,
) =>
  inTemporaryFolder((folder) =>
    body({ kit: join(folder, "kit"), id: THIS, out: join(folder, "a") })
  );

/** A run that comes to something. */
async function useUp(options: UseOptions) {
  const use = await beginUse(options);
  await use.made(NEXT);
  use.done();
}

Deno.test("beginUse marks a kit before it is used, and done appends without changing a byte", () =>
  onUse(async (options) => {
    const use = await beginUse(options);
    const begun = await Deno.readTextFile(usesPath(options.kit));
    await use.made(NEXT);
    use.done();
    const text = await Deno.readTextFile(usesPath(options.kit));
    assert(text.startsWith(begun) && text.length > begun.length);
    const marks = await readMarks(options.kit);
    assertEquals(marks.map(({ mark, next }) => [mark, next]), [["begun", null], ["done", NEXT]]);
    assertEquals(marks[0].run, marks[1].run);
    await assertRejects(() => refuseUsed(`${options.kit}/`, THIS), LetheError, "a successor, ");
    await assertRejects(() => beginUse(options), LetheError, "a successor, ");
    await useUp({ ...options, out: `${options.out}2`, branch: true, reason: "why" });
    assertEquals((await usesOf(options.kit, THIS)).map(({ reason }) => reason), [null, "why"]);
  }));

Deno.test("beginUse lets one of two runs at once through, and the other not even as a branch", () =>
  onUse(async (options) => {
    const all = await Promise.allSettled([1, 2, 3].map(() => beginUse(options)));
    const through = all.filter(({ status }) => status === "fulfilled");
    assertEquals(through.length, 1);
    await assertRejects(
      () => beginUse({ ...options, branch: true }),
      LetheError,
      "is in use by another run",
    );
    for (const each of all) if (each.status === "fulfilled") each.value.giveUp();
  }));

Deno.test("beginUse lets the next run through after one that gave up or was killed", () =>
  onUse(async (options) => {
    const file = usesPath(options.kit);
    (await beginUse(options)).giveUp();
    await assertRejects(() => Deno.lstat(file), Deno.errors.NotFound);
    const stopped = await beginUse(options);
    const lines = (await Deno.readTextFile(file)).split("\n");
    stopped.giveUp();
    // Killed: begun, never ended, and no output; half a line of its last mark.
    await Deno.writeTextFile(file, `${lines[0].replace(/"run":"./, '"run":"0')}\n{"version":1,"ma`);
    const use = await beginUse(options);
    assertEquals((await readMarks(options.kit)).map(({ mark }) => mark), ["begun", "begun"]);
    use.giveUp();
    assertEquals((await readMarks(options.kit)).map(({ mark }) => mark), [
      ...["begun", "begun", "given up"] as const,
    ]);
  }));

Deno.test("beginUse counts a run whose output is there as one that used the kit, whatever it marked", () =>
  onUse(async (options) => {
    const use = await beginUse(options);
    await Deno.mkdir(options.out);
    use.giveUp();
    await assertRejects(() => beginUse(options), LetheError, "a successor, ");
    const [begun] = (await Deno.readTextFile(usesPath(options.kit))).split("\n");
    await Deno.writeTextFile(usesPath(options.kit), `${begun}\n`);
    await assertRejects(() => beginUse(options), LetheError, "a successor, ");
  }));

Deno.test("beginUse does not count a run in whose output's place another run's output lies", () =>
  onUse(async (options) => {
    const [use, control] = [await beginUse(options), { ...options, kit: `${options.kit}2` }];
    await use.made(NEXT);
    await Deno.mkdir(options.out);
    use.giveUp(true);
    await refuseUsed(options.kit, THIS);
    const other = await beginUse({ ...control, id: OTHER });
    await other.made(NEXT);
    other.giveUp();
    await assertRejects(() => refuseUsed(control.kit, OTHER), LetheError, "a successor, ");
  }));

Deno.test("beginUse counts a run that was killed as its output took its name, wherever that went", () =>
  onUse(async (options) => {
    const use = await beginUse(options);
    await use.made(NEXT);
    const marks = await Deno.readTextFile(usesPath(options.kit));
    use.giveUp();
    // The control: the run itself knows that nothing came of it.
    await refuseUsed(options.kit, THIS);
    await Deno.writeTextFile(usesPath(options.kit), marks);
    await assertRejects(() => refuseUsed(options.kit, THIS), LetheError, "a successor, ");
  }));

Deno.test("refuseUsed knows a kit that was copied or renamed in its folder, by its id", () =>
  onUse(async (options) => {
    const other = { ...options, kit: `${options.kit}-moved` };
    await Deno.writeTextFile(usesPath(`${options.kit}-odd`), "of something else");
    await refuseUsed(other.kit, THIS);
    await useUp(options);
    await assertRejects(() => refuseUsed(other.kit, THIS), LetheError, "a successor, ");
    await assertRejects(() => beginUse(other), LetheError, "a successor, ");
    await refuseUsed(other.kit, OTHER);
  }));

Deno.test("beginUse refuses a copy of a kit that a run is using, until that has ended", () =>
  onUse(async (options) => {
    const copy = { ...options, kit: `${options.kit}-copy` };
    const use = await beginUse(options);
    for (const branch of [false, true]) {
      await assertRejects(
        () => beginUse({ ...copy, branch }),
        LetheError,
        "is in use by another run",
      );
    }
    await assertRejects(() => Deno.lstat(usesPath(copy.kit)), Deno.errors.NotFound);
    // The control: another kit in the same folder.
    (await beginUse({ ...copy, id: OTHER })).giveUp();
    use.giveUp();
    (await beginUse(copy)).giveUp();
  }));

Deno.test("beginUse lets a kit pass that took the place of another", () =>
  onUse(async (options) => {
    await useUp({ ...options, id: OTHER });
    await useUp(options);
    await assertRejects(() => refuseUsed(options.kit, THIS), LetheError, "a successor, ");
  }));

Deno.test("beginUse refuses where it cannot leave its mark", () =>
  onUse(async (options) => {
    const path = usesPath(options.kit);
    await Deno.mkdir(path);
    await assertRejects(() => beginUse(options), LetheError, "is no plain file");
    await Deno.remove(path);
    // A link's marks would be another file's: once it was asked for ever whether it is itself.
    const elsewhere = `${options.kit}-elsewhere`;
    await Deno.writeTextFile(elsewhere, "");
    for (const target of [elsewhere, `${elsewhere}-missing`, "/dev/null"]) {
      await Deno.symlink(target, path);
      await assertRejects(() => beginUse(options), LetheError, "is a symbolic link");
      await Deno.remove(path);
    }
    assertEquals(await Deno.readTextFile(elsewhere), "");
  }));

Deno.test("refuseUsed obeys the notes of commit 4832d1b, and takes no damaged record for none", () =>
  onUse(async ({ kit, ...options }) => {
    const note = { version: 1, kit: THIS, successors: ["a/kit"] };
    const path = usesPath(kit);
    await Deno.writeTextFile(path, JSON.stringify({ ...note, kit: OTHER }));
    await refuseUsed(kit, THIS);
    await Deno.writeTextFile(path, JSON.stringify(note));
    await assertRejects(() => refuseUsed(kit, THIS), LetheError, "a successor, a/kit; ");
    const damaged = ["null", "{}", "x", "{\n", JSON.stringify({ ...note, successors: [] })];
    for (const text of [...damaged, "{}\n", "[]\n", "{\n\n"]) {
      await Deno.writeTextFile(path, text);
      await assertRejects(() => refuseUsed(kit, THIS), LetheError, "restore it");
      await assertRejects(() => beginUse({ kit, ...options }), LetheError, "restore it");
      assertEquals(await Deno.readTextFile(path), text, "nothing of it is lost");
    }
  }));

Deno.test("beginUse marks below the note of commit 4832d1b, which stays, and that version cannot read it", () =>
  onUse(async (options) => {
    const note = { version: 1, kit: OTHER, successors: ["a/kit"] };
    for (const text of [JSON.stringify(note, null, 2) + "\n", JSON.stringify(note, null, 2)]) {
      await Deno.writeTextFile(usesPath(options.kit), text);
      (await beginUse(options)).giveUp();
      await useUp(options);
      const marked = await Deno.readTextFile(usesPath(options.kit));
      assert(marked.startsWith(text));
      assertThrows(() => JSON.parse(marked));
      await assertRejects(() => refuseUsed(options.kit, THIS), LetheError, "a successor, ");
      await assertRejects(() => refuseUsed(options.kit, OTHER), LetheError, "a successor, a/kit; ");
    }
  }));

Deno.test("refuseUsed reads the marks of versions in between", () =>
  onUse(async (options) => {
    await useUp(options);
    await Deno.rename(usesPath(options.kit), earlierUsesPath(options.kit));
    await assertRejects(() => refuseUsed(options.kit, THIS), LetheError, "a successor, ");
    await assertRejects(() => beginUse(options), LetheError, "a successor, ");
  }));

Deno.test("usesPath is one for every spelling of a kit's path", () => {
  const spellings = ["a/kit", "a/kit/", "./a/kit/.", "a/b/../kit", "a//kit"];
  assertEquals(new Set(spellings.map(usesPath)).size, 1);
  assertEquals(usesPath("."), `${Deno.cwd()}.successor.json`);
});
