import { assertEquals, assertThrows } from "@std/assert";
import { dependencyOn, sbatchOptions } from "../../../lib/benchmark/cluster/slurm_grid.ts";
import { LetheError } from "../../../lib/error.ts";

Deno.test("dependencyOn holds a round back unless all rounds before it have failed", () => {
  assertEquals(dependencyOn([], []), []);
  assertEquals(dependencyOn([], ["3"]), ["--dependency=afterany:3"]);
  assertEquals(dependencyOn(["8"], []), ["--dependency=afternotok:8"]);
  // That of the last one alone would be met by its being cancelled.
  assertEquals(dependencyOn(["8", "16"], ["17", "18"]), [
    "--dependency=afternotok:8:16,afterany:17:18",
  ]);
});

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
