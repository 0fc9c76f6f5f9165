import { join } from "@std/path";
import { type CsvRow, scanCsv } from "../../files/text/csv.ts";
import { fileLines } from "../../files/text/file_lines.ts";
import { readPlainText } from "../../files/plain_file.ts";
import { MAX_LABEL_BYTES } from "./layout.ts";

/** A line of a label file, from 1 on. */
export type Line = CsvRow;

const OPTIONS = {
  maxBytes: MAX_LABEL_BYTES,
  remedy: "check the path, or get the file with the data set",
};

/**
 * A label file's lines that are not empty, with fields that are separated by white space, or as CSV its
 * header and rows. Each is taken apart when it is its turn: all at once take a gigabyte where the file
 * takes 26 MB.
 *
 * @throws {LetheError} the file is missing, no plain text, or a row breaks CSV's rules
 */
export async function* labelLines(root: string, name: string): AsyncGenerator<Line, undefined> {
  const path = join(root, name);
  if (name.endsWith(".csv")) {
    const { columns, rows } = scanCsv(await readPlainText(path, OPTIONS), path);
    yield { line: 1, fields: columns };
    yield* rows;
    return;
  }
  let line = 0;
  for await (const text of fileLines(path, OPTIONS)) {
    line++;
    const written = text.trim();
    if (written !== "") yield { line, fields: fieldsOf(written) };
  }
}

const [TAB, RETURN, SPACE, DELETE] = [9, 13, 32, 127];

/**
 * What white space separates. A line of CelebA's has 41 fields, so that a regular expression, which knows
 * all white space that there is, takes a tenth of an opening; it is asked where not all is ASCII.
 */
export function fieldsOf(written: string): string[] {
  const fields: string[] = [];
  let begin = -1;
  for (let i = 0; i < written.length; i++) {
    const unit = written.charCodeAt(i);
    if (unit >= DELETE) return written.split(/\s+/);
    const isSpace = unit === SPACE || unit >= TAB && unit <= RETURN;
    if (!isSpace && begin < 0) begin = i;
    if (isSpace && begin >= 0) {
      fields.push(written.slice(begin, i));
      begin = -1;
    }
  }
  if (begin >= 0) fields.push(written.slice(begin));
  return fields;
}
