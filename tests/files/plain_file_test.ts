import { assertEquals, assertRejects } from "@std/assert";
import { join } from "@std/path";
import { readPlainFile, readPlainText } from "../../lib/files/plain_file.ts";
import { LetheError } from "../../lib/error.ts";
import { sha256Hex } from "../../lib/files/sha256.ts";
import { inTemporaryFolder, writeFiles } from "../data/temporary_folder.ts";

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
    if (Deno.build.os === "windows") return; // its devices have no path
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

// It guards the contained worker, which needs a POSIX shell.
const guarded = "guardReads refuses second names, and notes each file that is read with its hash";
Deno.test(
  guarded,
  { ignore: Deno.build.os === "windows" },
  () =>
    inTemporaryFolder(async (temporary) => {
      const folder = await Deno.realPath(temporary);
      await writeFiles(folder, { "a/plain": "one", "a/linked": "two" });
      await Deno.link(join(folder, "a/linked"), join(folder, "hard"));
      await Deno.symlink("a", join(folder, "b"));
      // In a process of its own: the guard stays for the rest of one.
      const script = `
      import { guardReads, readPlainFile } from ${
        JSON.stringify(new URL("../../lib/files/plain_file.ts", import.meta.url))
      };
      const said = [];
      const read = async (path) => {
        await readPlainFile(path, { maxBytes: 9 }).then(() => said.push("read"), (error) => said.push(error.message));
      };
      const paths = ["a/plain", "b/plain", "a/linked"].map((name) => ${
        JSON.stringify(folder)
      } + "/" + name);
      for (const path of paths) await read(path);
      const notes = guardReads();
      for (const path of paths) await read(path);
      console.log(JSON.stringify({ said, notes }));`;
      const args = ["run", "-A", "--config", "deno.json", "-"];
      const child = new Deno.Command(Deno.execPath(), { args, stdin: "piped", stdout: "piped" })
        .spawn();
      const writer = child.stdin.getWriter();
      await writer.write(new TextEncoder().encode(script));
      await writer.close();
      const { said, notes } = JSON.parse(new TextDecoder().decode((await child.output()).stdout));
      assertEquals(said.slice(0, 4), ["read", "read", "read", "read"]);
      assertEquals(said[4].startsWith(`${folder}/b/plain is ${folder}/a/plain; `), true, said[4]);
      assertEquals(said[5].startsWith(`${folder}/a/linked has 2 hard links; `), true, said[5]);
      const sha256 = sha256Hex(new TextEncoder().encode("one"));
      assertEquals(notes, [{ path: `${folder}/a/plain`, sha256, bytes: 3 }]);
    }),
);
