import { assertEquals, assertThrows } from "@std/assert";
import { join } from "@std/path";
import { identityOf, openHashes } from "../../lib/data/file_hashes.ts";
import { LetheError } from "../../lib/error.ts";
import { sha256Hex } from "../../lib/files/sha256.ts";
import { inTemporaryFolder } from "./temporary_folder.ts";

const bytes = Uint8Array.from({ length: 5 + 3 * 32 }, (_, i) => i);
const from = 3;
const sha256 = sha256Hex(bytes.subarray(from));
const hash = (row: number) => bytes.subarray(5 + 32 * row, 5 + 32 * (row + 1)).toHex();

Deno.test("openHashes gives the same from memory and from within a file", () =>
  inTemporaryFolder(async (folder) => {
    const path = join(folder, "index");
    await Deno.writeFile(path, bytes);
    const identity = identityOf(await Deno.stat(path));
    for (const hashes of [bytes.subarray(5), { path, begin: 5, identity, from, sha256 }]) {
      using reader = openHashes(hashes);
      for (const row of [2, 0, 1, 2]) assertEquals(reader.at(row), hash(row));
    }
  }));

Deno.test("openHashes takes a file that took the name meanwhile for its content, and no other", () =>
  inTemporaryFolder(async (folder) => {
    const path = join(folder, "index");
    await Deno.writeFile(path, bytes);
    const identity = identityOf(await Deno.stat(path));
    const open = () => openHashes({ path, begin: 5, identity, from, sha256 });
    const replace = async (content: Uint8Array) => {
      await Deno.writeFile(join(folder, "other"), content);
      await Deno.rename(join(folder, "other"), path);
      // A time of its own, whatever the file system's steps are.
      await Deno.utime(path, 1, 1);
    };
    await replace(bytes);
    {
      using reader = open();
      assertEquals(reader.at(1), hash(1));
    }
    await replace(bytes.with(40, 0));
    assertThrows(open, LetheError, "changed while it was in use");
    await Deno.remove(path);
    assertThrows(open, LetheError, "changed while it was in use");
  }));
