import { assertEquals, assertStringIncludes } from "@std/assert";
import { judgeCanaries } from "../../../lib/audit/layers/canaries.ts";

const BARE = [
  ...["Deno.readFile", "node:fs", "fetch of a file: URL", "import of a computed path"],
  ...["import of a literal", "symbolic link", "hard link"],
];
const judge = (
  contained: string[] | null,
  walls: "bubblewrap" | "deno" = "bubblewrap",
  control = BARE,
) => judgeCanaries(control, contained, walls, true);

Deno.test("judgeCanaries is held when nothing reached the file that something else would reach", () => {
  assertEquals(judge(["hard link"]).state, "held");
  assertStringIncludes(judge(["hard link"]).detail, "hard link: reached, stopped by the reader");
  assertEquals(judge(["hard link", "symbolic link"], "deno").state, "held");
});

Deno.test("judgeCanaries fails on each way that gets through, and on a probe that finds nothing anywhere", () => {
  for (const way of [...BARE.slice(0, -1), "hard link by Lethe's reader"]) {
    const { state, detail } = judge([way]);
    assertEquals(state, "failed", way);
    assertStringIncludes(detail, way);
  }
  assertEquals(judge(["symbolic link by Lethe's reader"], "deno").state, "failed");
  assertEquals(judge([], "bubblewrap", BARE.slice(1)).state, "failed", "a control failed");
  assertEquals(judge(null).state, "failed", "no answer");
});
