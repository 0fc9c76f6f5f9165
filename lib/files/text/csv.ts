import { LetheError } from "../../error.ts";

/** A row of a CSV file, and the line that it begins on. */
export interface CsvRow {
  readonly line: number;
  readonly fields: readonly string[];
}

/** A CSV file's content: the header's column names and rows of as many fields. */
export interface CsvTable {
  readonly columns: readonly string[];
  readonly rows: readonly CsvRow[];
}

/**
 * Parses comma-separated text as RFC 4180 has it (quoted fields may hold commas, line breaks and
 * doubled quotes), with LF or CRLF; spaces around fields and empty lines are dropped. Where the header
 * has no comma, semicolons, tabs or bars separate, as spreadsheets write them in many countries; a first
 * line `sep=;` says so itself.
 *
 * @param text the file's content, its first line the header
 * @param name the file's name, for errors
 * @throws {LetheError} when a row has not the header's number of fields, a column comes twice or a
 *   quote is not closed
 */
export function parseCsv(text: string, name: string): CsvTable {
  const { columns, rows } = scanCsv(text, name);
  return { columns, rows: [...rows] };
}

/**
 * As {@link parseCsv}, of files with many rows: each row is parsed when it is its turn, anew each time
 * that the rows are gone through, and refused then.
 */
export function scanCsv(
  text: string,
  name: string,
): { readonly columns: readonly string[]; readonly rows: Iterable<CsvRow> } {
  const declared = /^sep=([,;\t|])\r?\n/i.exec(text);
  const separator = declared?.[1] ?? likelySeparator(text);
  const all = () => records(text, name, separator, declared?.[0].length ?? 0);
  const { value: header } = all().next();
  if (!header) {
    throw new LetheError(
      `${name} is empty`,
      "its first line names the columns",
      "write the header and one row per image",
    );
  }
  const columns = header.fields;
  const known = new Set<string>();
  const twice = columns.find((column) => known.size === known.add(column).size);
  if (twice !== undefined) {
    throw new LetheError(
      `${name} has the column "${twice}" twice`,
      "every column has a name of its own",
      "remove or rename one of them",
    );
  }
  const checked = function* () {
    for (const row of all().drop(1)) {
      if (row.fields.length !== columns.length) {
        throw new LetheError(
          `${name} line ${row.line} has ${row.fields.length} fields`,
          `the header names ${columns.length} columns`,
          "add the missing or remove the extra field",
        );
      }
      yield row;
    }
  };
  return { columns, rows: { [Symbol.iterator]: checked } };
}

const OTHER_SEPARATORS = [";", "\t", "|"];

/** A comma where the first line has one outside quotes, or none of the others; else what it has most of. */
function likelySeparator(text: string): string {
  const header = text.slice(0, text.search(/\r?\n|$/)).replaceAll(/"[^"]*"/g, "");
  const count = (separator: string) => header.split(separator).length;
  if (header.includes(",")) return ",";
  return OTHER_SEPARATORS.reduce((best, next) => count(next) > count(best) ? next : best, ",");
}

function* records(
  text: string,
  name: string,
  separator: string,
  start: number,
): Generator<CsvRow, undefined> {
  const escaped = separator === "|" ? "\\|" : separator;
  // A tab is no white space where it separates.
  const white = separator === "\t" ? " " : " \t";
  const space = new RegExp(`[${white}]*`, "y");
  const end = new RegExp(`[${white}]*(?=${escaped}|\\r?\\n|\\r?$)`, "y");
  const plain = new RegExp(`[^${separator}\\n]*`, "y");
  let line = start === 0 ? 1 : 2;
  let at = start;
  while (at < text.length) {
    const first = line;
    const fields: string[] = [];
    for (;;) {
      space.lastIndex = at;
      space.test(text);
      if (text[space.lastIndex] === '"') {
        const from = space.lastIndex + 1;
        const close = closingQuote(text, from);
        end.lastIndex = close + 1;
        if (close < 0 || !end.test(text)) throw badQuote(name, line);
        const field = text.slice(from, close);
        fields.push(field.replaceAll('""', '"'));
        line += field.split("\n").length - 1;
        at = end.lastIndex;
      } else {
        plain.lastIndex = at;
        const field = plain.exec(text)![0];
        fields.push(field.trim());
        at = plain.lastIndex;
      }
      if (text[at] !== separator) break;
      at++;
    }
    if (text[at] === "\r") at++;
    at++; // the line feed, or past the end
    line++;
    if (fields.length > 1 || fields[0] !== "") yield { line: first, fields };
  }
}

/** Where a quoted field ends, doubled quotes passed over; -1: nowhere. No pattern: a field may be long. */
function closingQuote(text: string, from: number): number {
  let at = text.indexOf('"', from);
  while (at >= 0 && text[at + 1] === '"') at = text.indexOf('"', at + 2);
  return at;
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
