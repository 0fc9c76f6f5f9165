import { assertEquals } from "@std/assert";
import { html } from "../../lib/report/markup.ts";

Deno.test("html escapes what comes in as text and keeps what is markup", () => {
  const name = `<script>"x" & 'y'</script>`;
  const inner = html`<b>${name}</b>`;
  assertEquals(
    html`<p title="${name}">${[inner, 3]}</p>`.text,
    `<p title="&#60;script&#62;&#34;x&#34; &#38; &#39;y&#39;&#60;/script&#62;">` +
      `<b>&#60;script&#62;&#34;x&#34; &#38; &#39;y&#39;&#60;/script&#62;</b>3</p>`,
  );
});

Deno.test("html writes out characters that turn the direction of text", () => {
  assertEquals(html`${"a\u202eb"}`.text, "a\\u{202e}b");
});
