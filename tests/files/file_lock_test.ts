import { assertEquals } from "@std/assert";
import { join } from "@std/path";
import { holdFile, isHeld } from "../../lib/files/file_lock.ts";
import { inTemporaryFolder } from "../data/temporary_folder.ts";

const opened = (path: string) => Deno.open(path, { read: true, write: true, create: true });

Deno.test("holdFile holds a file for one alone, or for all who share it, until it is closed", () =>
  inTemporaryFolder(async (folder) => {
    const path = join(folder, "lock");
    {
      using first = await opened(path);
      using second = await opened(path);
      assertEquals(await holdFile(first, true), true);
      assertEquals(await isHeld(path), true);
      assertEquals(await holdFile(second, true, 0), false);
      assertEquals(await holdFile(second, false, 0), false);
    }
    assertEquals(await isHeld(path), false);
    using first = await opened(path);
    using second = await opened(path);
    assertEquals([await holdFile(first, false), await holdFile(second, false)], [true, true]);
    assertEquals([await isHeld(path), await isHeld(path, true)], [false, true]);
  }));

Deno.test("holdFile waits for somebody who holds a file for a moment, as one who only looks does", () =>
  inTemporaryFolder(async (folder) => {
    const path = join(folder, "lock");
    using looks = await opened(path);
    using wants = await opened(path);
    looks.tryLockSync(false);
    const held = holdFile(wants, true, 60);
    looks.unlockSync();
    assertEquals(await held, true);
  }));

Deno.test("isHeld says that it cannot tell of a file that is gone", () =>
  inTemporaryFolder(async (folder) => assertEquals(await isHeld(join(folder, "lock")), null)));
