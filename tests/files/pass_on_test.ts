import { assertEquals, assertRejects } from "@std/assert";
import { join } from "@std/path";
import { LetheError } from "../../lib/error.ts";
import { passOn } from "../../lib/files/pass_on.ts";
import { sha256Hex } from "../../lib/files/sha256.ts";
import { inTemporaryFolder } from "../data/temporary_folder.ts";

const CONTENT = Uint8Array.from({ length: 2 ** 20 + 5 }, (_, i) => i % 251);
const LIMIT = { maxBytes: 2 ** 24 };

Deno.test("passOn copies a file of more than one piece and holds it against its hash", () =>
  inTemporaryFolder(async (folder) => {
    const [from, to] = [join(folder, "from"), join(folder, "to")];
    await Deno.writeFile(from, CONTENT);
    await passOn(from, to, sha256Hex(CONTENT), LIMIT);
    assertEquals(await Deno.readFile(to), CONTENT);
    await assertRejects(
      () => passOn(from, to, sha256Hex(CONTENT), LIMIT),
      Deno.errors.AlreadyExists,
    );
  }));

Deno.test("passOn refuses another content, a link and what is too large", () =>
  inTemporaryFolder(async (folder) => {
    const [from, link] = [join(folder, "from"), join(folder, "link")];
    await Deno.writeFile(from, CONTENT);
    await Deno.symlink(from, link);
    const to = (name: string) => join(folder, name);
    await assertRejects(() => passOn(from, to("a"), "0".repeat(64), LIMIT), LetheError, "SHA-256");
    const hash = sha256Hex(CONTENT);
    await assertRejects(() => passOn(link, to("b"), hash, LIMIT), LetheError, "symbolic link");
    await assertRejects(
      () => passOn(from, to("c"), hash, { maxBytes: 9 }),
      LetheError,
      "at most 9",
    );
  }));
