import { assertEquals } from "@std/assert";
import { byteSize } from "../../../lib/files/text/byte_size.ts";

Deno.test("byteSize names a size in the unit that it fills, and never as nothing", () => {
  const [mebi, gibi] = [2 ** 20, 2 ** 30];
  for (
    const [bytes, text] of [
      [0, "0 bytes"],
      [0.01, "1 bytes"],
      [1023, "1023 bytes"],
      [1536, "1.5 KiB"],
      [mebi, "1 MiB"],
      [5.012345 * mebi, "5.012 MiB"],
      [1000 * mebi, "1000 MiB"],
      [1.5 * gibi, "1.5 GiB"],
      [640.69 * gibi, "640.7 GiB"],
      [2048 * gibi, "2 TiB"],
    ] as const
  ) assertEquals(byteSize(bytes), text);
});
