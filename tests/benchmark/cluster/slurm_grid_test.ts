import { assertEquals, assertThrows } from "@std/assert";
import { sbatchOptions } from "../../../lib/benchmark/cluster/slurm_grid.ts";
import { LetheError } from "../../../lib/error.ts";

Deno.test("sbatchOptions splits as a shell does", () => {
  assertEquals(sbatchOptions(""), []);
  assertEquals(sbatchOptions("  --a=1   -p gpu "), ["--a=1", "-p", "gpu"]);
  assertEquals(sbatchOptions(`--comment="two words" '' --x='a "b"'`), [
    "--comment=two words",
    "",
    '--x=a "b"',
  ]);
  assertThrows(() => sbatchOptions('--comment="open'), LetheError, "not closed");
});
