import { assertEquals } from "@std/assert";
import { shellWord } from "../../lib/files/shell_word.ts";

Deno.test("shellWord leaves what a shell leaves, and quotes all else so that one word comes back", async () => {
  for (const plain of ["a", "kit", "../my-kit/4711_2.jpg", "a,b", "--x"]) {
    assertEquals(shellWord(plain), plain);
  }
  const texts = ["my kit", "it's", "$HOME", "a;b", "~", "", "*", 'a"b', "`x`", "ü", "(1)", "a\nb"];
  for (const text of texts) assertEquals(shellWord(text).startsWith("'"), true, text);
  if (Deno.build.os === "windows") return;
  const line = `printf '%s\\0' ${texts.map(shellWord).join(" ")}`;
  const { stdout } = await new Deno.Command("/bin/sh", { args: ["-c", line] }).output();
  assertEquals(new TextDecoder().decode(stdout), texts.map((text) => `${text}\0`).join(""));
});
