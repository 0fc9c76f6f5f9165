import { assertEquals, assertThrows } from "@std/assert";
import { checkedRelativePath } from "../../lib/files/relative_path.ts";
import { LetheError } from "../../lib/error.ts";

Deno.test("checkedRelativePath lets paths through that stay inside", () => {
  for (const path of ["a.jpg", "x/y/..z.png", "...", "ä ö.png", "12:30.png"]) {
    assertEquals(checkedRelativePath(path, "t.csv line 2"), path);
  }
});

Deno.test("checkedRelativePath refuses paths that lead out, naming where they stand", () => {
  const bad = ["", "..", "../x", "a/../../x", "./a", "a//b", "/etc/passwd", "C:/x", "a\\..\\b"];
  for (const path of [...bad, "a\0b", "a\nb", "a/".repeat(3000) + "b"]) {
    assertThrows(() => checkedRelativePath(path, "t.csv line 2"), LetheError, "t.csv line 2 names");
  }
});
