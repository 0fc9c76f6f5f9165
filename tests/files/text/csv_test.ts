import { assertEquals, assertThrows } from "@std/assert";
import { formatCsv, parseCsv } from "../../../lib/files/text/csv.ts";
import { LetheError } from "../../../lib/error.ts";

Deno.test("parseCsv takes CRLF, spaces, empty lines and a missing last line end", () => {
  const table = parseCsv("a, b ,c\r\n1,2,3\r\n\r\n x ,,z", "t.csv");
  assertEquals(table.columns, ["a", "b", "c"]);
  assertEquals(table.rows, [
    { line: 2, fields: ["1", "2", "3"] },
    { line: 4, fields: ["x", "", "z"] },
  ]);
});

Deno.test("parseCsv reads quoted commas, quotes and line breaks, and still counts lines", () => {
  const { rows } = parseCsv('a,b\n"1,""2""","x\ny"\n"" , z\n3,"4"', "t.csv");
  assertEquals(rows, [
    { line: 2, fields: ['1,"2"', "x\ny"] },
    { line: 4, fields: ["", "z"] },
    { line: 5, fields: ["3", "4"] },
  ]);
});

Deno.test("parseCsv reads semicolons, tabs and bars where the header has no comma", () => {
  const rows = [
    { line: 2, fields: ["1,5", "x;y", ""] },
    { line: 3, fields: ["2", "z", "3"] },
  ];
  for (const separator of [";", "\t", "|"]) {
    const text = ["a,b,c", '"1,5","x;y",', "2 , z,3"].map((line, i) =>
      i === 1 ? `1,5${separator}"x;y"${separator}` : line.replaceAll(",", separator)
    ).join("\r\n");
    const table = parseCsv(text, "t.csv");
    assertEquals(table.columns, ["a", "b", "c"], separator);
    assertEquals(table.rows, rows, separator);
  }
  assertEquals(parseCsv("a,b;c;d\n1,2", "t.csv").columns, ["a", "b;c;d"]);
  const declared = parseCsv("sep=;\r\na;b\r\n1;2", "t.csv");
  assertEquals([declared.columns, declared.rows], [["a", "b"], [{ line: 3, fields: ["1", "2"] }]]);
  const single = parseCsv("a\n1\n", "t.csv");
  assertEquals(single.columns, ["a"]);
});

Deno.test("parseCsv names the line that is broken", () => {
  const refusal = (text: string) => assertThrows(() => parseCsv(text, "t.csv"), LetheError).message;
  assertEquals(refusal("").startsWith("t.csv is empty"), true);
  assertEquals(refusal("a,b,a\n").startsWith('t.csv has the column "a" twice'), true);
  assertEquals(refusal("a,b\n1,2\n1,2,3\n").startsWith("t.csv line 3 has 3 fields"), true);
  assertEquals(refusal("a,b\n1\n").startsWith("t.csv line 2 has 1 fields"), true);
  assertEquals(refusal('a,b\n1,"2\n').startsWith("t.csv line 2 has a quote"), true);
  assertEquals(refusal('a,b\n1,"2"x\n').startsWith("t.csv line 2 has a quote"), true);
});

Deno.test("formatCsv writes what parseCsv reads", () => {
  const rows = [["file", "who"], ['a"b', "x,y"], [" spaced ", "two\nlines"], ["plain", "1"]];
  const { columns, rows: read } = parseCsv(formatCsv(rows), "t.csv");
  assertEquals([columns, ...read.map(({ fields }) => fields)], rows);
  assertEquals(formatCsv([["a", 1]]), "a,1\n");
});

Deno.test("parseCsv reads fields of any length, and as many columns as there are", () => {
  const field = "a".repeat(1e7);
  assertEquals(parseCsv(`"${field}",b\n`, "x").columns[0].length, field.length);
  assertEquals(parseCsv(`"${field.replaceAll("a", '""')}",b\n`, "x").columns[0].length, 1e7);
  const columns = Array.from({ length: 100_000 }, (_, i) => `c${i}`);
  // Had each to be looked for among all others, this would take minutes.
  assertEquals(parseCsv(columns.join(",") + "\n", "x").columns, columns);
});
