import { assertEquals, assertRejects } from "@std/assert";
import { join } from "@std/path";
import { LetheError } from "../../../lib/error.ts";
import { fileLines } from "../../../lib/files/text/file_lines.ts";
import { inTemporaryFolder } from "../../data/temporary_folder.ts";

const OPTIONS = { maxBytes: 2 ** 20 };

Deno.test("fileLines gives lines of any length, whatever piece of the file they begin in", () =>
  inTemporaryFolder(async (folder) => {
    const path = join(folder, "text");
    const long = "é".repeat(100_000); // more than a piece, and letters that pieces cut
    for (const lines of [[], ["a"], ["", "a", "", long, "b\r", long], ["ä".repeat(65_535), "x"]]) {
      for (const end of ["", "\n"]) {
        await Deno.writeTextFile(path, lines.join("\n") + (lines.length > 0 ? end : ""));
        let bytes = 0;
        const read = fileLines(path, OPTIONS, (piece) => bytes += piece.length);
        assertEquals(await Array.fromAsync(read), lines);
        assertEquals(bytes, (await Deno.stat(path)).size);
      }
    }
    await Deno.writeTextFile(path, "\ufeffa\nb");
    assertEquals(await Array.fromAsync(fileLines(path, OPTIONS)), ["a", "b"]);
  }));

Deno.test("fileLines refuses what is no text, and closes a file that is left early", () =>
  inTemporaryFolder(async (folder) => {
    const path = join(folder, "text");
    for (const bytes of [[0x61, 0x0a, 0xff, 0x0a], [0x61, 0x0a, 0xc3]]) {
      await Deno.writeFile(path, Uint8Array.from(bytes));
      const all = () => Array.fromAsync(fileLines(path, OPTIONS));
      await assertRejects(all, LetheError, "is not UTF-8 text");
    }
    // The test would find a file that stays open.
    await Deno.writeTextFile(path, "a\nb\nc");
    for await (const line of fileLines(path, OPTIONS)) {
      assertEquals(line, "a");
      break;
    }
  }));
