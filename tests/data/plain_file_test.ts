import { assertEquals, assertRejects } from "@std/assert";
import { join } from "@std/path";
import { readPlainFile, readPlainText } from "../../lib/data/plain_file.ts";
import { LetheError } from "../../lib/error.ts";
import { inTemporaryFolder } from "./temporary_folder.ts";

async function refusal(path: string, maxBytes = 10): Promise<string> {
  return (await assertRejects(() => readPlainFile(path, { maxBytes }), LetheError)).message;
}

Deno.test("readPlainFile reads a plain file and refuses everything else", () =>
  inTemporaryFolder(async (folder) => {
    const plain = join(folder, "plain");
    await Deno.writeFile(plain, new Uint8Array([1, 2, 3]));
    assertEquals(await readPlainFile(plain, { maxBytes: 3 }), new Uint8Array([1, 2, 3]));
    assertEquals((await refusal(plain, 2)).includes("has 3 bytes; at most 2"), true);

    await Deno.symlink(plain, join(folder, "link"));
    assertEquals((await refusal(join(folder, "link"))).includes("symbolic link"), true);
    assertEquals((await refusal(folder)).includes("is a folder"), true);
    assertEquals((await refusal(join(folder, "missing"))).includes("does not exist"), true);
    assertEquals((await refusal(join(plain, "below"))).includes("does not exist"), true);
    assertEquals((await refusal("/dev/null")).includes("device"), true);
  }));

Deno.test("readPlainText drops the byte order mark and refuses what is not UTF-8", () =>
  inTemporaryFolder(async (folder) => {
    const path = join(folder, "a.txt");
    await Deno.writeFile(path, new Uint8Array([0xef, 0xbb, 0xbf, 0x68, 0x69]));
    assertEquals(await readPlainText(path, { maxBytes: 10 }), "hi");
    await Deno.writeFile(path, new Uint8Array([0xff, 0xfe, 0x68]));
    await assertRejects(() => readPlainText(path, { maxBytes: 10 }), LetheError, "not UTF-8");
  }));
