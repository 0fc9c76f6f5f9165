import { assertEquals, assertThrows } from "@std/assert";
import { memoryChoice } from "../../cli/options/memory_options.ts";
import { UsageError } from "../../lib/error.ts";

Deno.test("memoryChoice reads MiB and GiB, fractions too, and passes on what was given only", () => {
  assertEquals(memoryChoice({ memoryLimit: "512MiB" }), { memoryLimit: 512 * 2 ** 20 });
  assertEquals(memoryChoice({ memoryLimit: "1.5GiB", microBatch: 3 }), {
    memoryLimit: 1.5 * 2 ** 30,
    microBatch: 3,
  });
  assertEquals(memoryChoice({}), {});
});

Deno.test("memoryChoice refuses other units, signs and nothing", () => {
  for (const memoryLimit of ["8", "8GB", "8 GiB", "-1GiB", "0GiB", "GiB", "1e3MiB", "8gib"]) {
    assertThrows(
      () => memoryChoice({ memoryLimit }),
      UsageError,
      `--memory-limit ${memoryLimit}`,
    );
  }
});
