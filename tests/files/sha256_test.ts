import { assertEquals } from "@std/assert";
import { join } from "@std/path";
import { pieceFor, sha256Bytes, sha256File, sha256Hex } from "../../lib/files/sha256.ts";
import { inTemporaryFolder } from "../data/temporary_folder.ts";

Deno.test("sha256Hex agrees with the standard's example", () => {
  assertEquals(
    sha256Hex(new TextEncoder().encode("abc")),
    "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
  );
});

Deno.test("sha256File hashes a file of any size as sha256Hex its bytes, with room for no more than it has", () =>
  inTemporaryFolder(async (folder) => {
    for (const size of [0, 1, 1000, 2 ** 20, 2 ** 20 + 1, 3 * 2 ** 20]) {
      const bytes = Uint8Array.from({ length: size }, (_, i) => i * 7);
      const path = join(folder, `${size}`);
      await Deno.writeFile(path, bytes);
      assertEquals(sha256File(path), sha256Hex(bytes));
      assertEquals(sha256Bytes(bytes).toHex(), sha256Hex(bytes));
      // Hundreds of small files are hashed at once: a piece for each would take hundreds of megabytes.
      assertEquals(pieceFor(size).length, Math.max(1, Math.min(size, 2 ** 20)));
    }
  }));
