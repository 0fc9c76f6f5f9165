import { assertEquals } from "@std/assert";
import { sha256Hex } from "../../lib/files/sha256.ts";

Deno.test("sha256Hex agrees with the standard's example", () => {
  assertEquals(
    sha256Hex(new TextEncoder().encode("abc")),
    "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
  );
});
