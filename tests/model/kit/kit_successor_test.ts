import { assertEquals, assertRejects } from "@std/assert";
import { join } from "@std/path";
import { LetheError } from "../../../lib/error.ts";
import {
  noteSuccessor,
  refuseSucceeded,
  successorPath,
} from "../../../lib/model/kit/kit_successor.ts";
import { inTemporaryFolder } from "../../data/temporary_folder.ts";

const THIS = "1".repeat(64);
const OTHER = "2".repeat(64);

Deno.test("refuseSucceeded refuses a kit from its first successor on, and names them all", async () => {
  await inTemporaryFolder(async (folder) => {
    const kit = join(folder, "kit");
    await refuseSucceeded(kit, THIS);
    await noteSuccessor(kit, THIS, "a/kit");
    await assertRejects(() => refuseSucceeded(`${kit}/`, THIS), LetheError, "a successor, a/kit; ");
    await noteSuccessor(kit, THIS, "b/kit");
    await noteSuccessor(kit, THIS, "a/kit");
    await assertRejects(() => refuseSucceeded(kit, THIS), LetheError, "a/kit and b/kit; ");
    assertEquals([...Deno.readDirSync(folder)].map(({ name }) => name), ["kit.successor.json"]);
  });
});

Deno.test("refuseSucceeded lets a kit pass that took the place of another", async () => {
  await inTemporaryFolder(async (folder) => {
    const kit = join(folder, "kit");
    await noteSuccessor(kit, OTHER, "a/kit");
    await refuseSucceeded(kit, THIS);
    await noteSuccessor(kit, THIS, "b/kit");
    await assertRejects(() => refuseSucceeded(kit, THIS), LetheError, "a successor, b/kit; ");
  });
});

Deno.test("refuseSucceeded does not take a damaged note for none", async () => {
  await inTemporaryFolder(async (folder) => {
    const kit = join(folder, "kit");
    const note = { version: 1, kit: THIS, successors: ["a/kit"] };
    for (const text of ["", "{", "null", "{}", JSON.stringify({ ...note, successors: [] })]) {
      await Deno.writeTextFile(successorPath(kit), text);
      await assertRejects(() => refuseSucceeded(kit, THIS), LetheError, "restore it");
      await assertRejects(() => noteSuccessor(kit, THIS, "b/kit"), LetheError, "restore it");
    }
  });
});
