import { LetheError } from "../error.ts";

/** A CSV file's content: the header's column names and rows of as many fields. */
export interface CsvTable {
  readonly columns: readonly string[];
  readonly rows: readonly { readonly line: number; readonly fields: readonly string[] }[];
}

/**
 * Parses comma-separated text as RFC 4180 has it (quoted fields may hold commas, line breaks and
 * doubled quotes), with LF or CRLF; spaces around fields and empty lines are dropped.
 *
 * @param text the file's content, its first line the header
 * @param name the file's name, for errors
 * @throws {LetheError} when a row has not the header's number of fields, a column comes twice or a
 *   quote is not closed
 */
export function parseCsv(text: string, name: string): CsvTable {
  const [header, ...rows] = records(text, name);
  if (!header) {
    throw new LetheError(
      `${name} is empty`,
      "its first line names the columns",
      "write the header and one row per image",
    );
  }
  const columns = header.fields;
  const twice = columns.find((column, index) => columns.indexOf(column) !== index);
  if (twice !== undefined) {
    throw new LetheError(
      `${name} has the column "${twice}" twice`,
      "every column has a name of its own",
      "remove or rename one of them",
    );
  }
  for (const { line, fields } of rows) {
    if (fields.length !== columns.length) {
      throw new LetheError(
        `${name} line ${line} has ${fields.length} fields`,
        `the header names ${columns.length} columns`,
        "add the missing or remove the extra field",
      );
    }
  }
  return { columns, rows };
}

function records(text: string, name: string): { line: number; fields: string[] }[] {
  const result: { line: number; fields: string[] }[] = [];
  let line = 1;
  let at = 0;
  while (at < text.length) {
    const start = line;
    const fields: string[] = [];
    for (;;) {
      const space = /[ \t]*/y;
      space.lastIndex = at;
      space.test(text);
      if (text[space.lastIndex] === '"') {
        const quoted = /"((?:[^"]|"")*)"[ \t]*(?=,|\r?\n|\r?$)/y;
        quoted.lastIndex = space.lastIndex;
        const match = quoted.exec(text);
        if (!match) throw badQuote(name, line);
        fields.push(match[1].replaceAll('""', '"'));
        line += match[1].split("\n").length - 1;
        at = quoted.lastIndex;
      } else {
        const plain = /[^,\n]*/y;
        plain.lastIndex = at;
        const field = plain.exec(text)![0];
        fields.push(field.trim());
        at = plain.lastIndex;
      }
      if (text[at] !== ",") break;
      at++;
    }
    if (text[at] === "\r") at++;
    at++; // the line feed, or past the end
    line++;
    if (fields.length > 1 || fields[0] !== "") result.push({ line: start, fields });
  }
  return result;
}

/** Writes a table as CSV with LF line ends; fields are quoted where they must be. */
export function formatCsv(rows: readonly (readonly (string | number)[])[]): string {
  return rows.map((row) =>
    row.map((field) => {
      const text = String(field);
      return /^\s|[",\r\n]|\s$/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
    }).join(",") + "\n"
  ).join("");
}

function badQuote(name: string, line: number): LetheError {
  return new LetheError(
    `${name} line ${line} has a quote that is not closed at a field's end`,
    'a quoted field is "like this", a quote inside it ""',
    "correct the line",
  );
}
