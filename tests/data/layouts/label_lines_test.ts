import { assertEquals } from "@std/assert";
import { fieldsOf } from "../../../lib/data/layouts/label_lines.ts";

Deno.test("fieldsOf separates by all white space that a regular expression knows", () => {
  const spaces = [" ", "  ", "\t", "\v\f", "\r", "\u00a0", "\u2003", "\ufeff", "\u2028"];
  const fields = ["000001.jpg", "-1", "1", "é.jpg", "\u0007", "😀", "\x7f"];
  for (const space of spaces) {
    for (let first = 0; first < fields.length; first++) {
      const row = [...fields.slice(first), ...fields.slice(0, first)];
      for (const count of [1, 2, 7]) {
        const line = row.slice(0, count).join(space);
        assertEquals(fieldsOf(line), line.split(/\s+/), JSON.stringify(line));
      }
    }
  }
});
