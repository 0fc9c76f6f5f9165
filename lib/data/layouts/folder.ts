import { join } from "@std/path";
import { LetheError } from "../../error.ts";
import { type CsvRow, type CsvTable, scanCsv } from "../../files/text/csv.ts";
import { listFolder } from "../../files/list_folder.ts";
import { readPlainText } from "../../files/plain_file.ts";
import { checkedRelativePath } from "../../files/relative_path.ts";
import { isLeftover } from "./find_layout.ts";
import { listImages } from "./image_listing.ts";
import { LabelRows } from "./label_rows.ts";
import { type LayoutContent, MAX_LABEL_BYTES, whereIn } from "./layout.ts";

/**
 * A plain folder: images anywhere in it and exactly one `.csv` (or `.tsv`) file at its top with the columns
 * `file` (path relative to the folder), `identity`, and the labels. A single label column named
 * `class` makes a task of classes: the values that occur in it are their names, in alphabetical
 * order. Any other columns make a multi-label task: each holds 1 (yes), or 0 or -1 (no). Nothing
 * here is about faces: an identity may be an animal or a thing.
 *
 * @throws {LetheError} when the folder breaks these rules, naming the file and the line
 */
export async function readFolder(root: string): Promise<LayoutContent> {
  const listing = await listImages(root, "");
  const name = join(root, await onlyCsv(root));
  const text = await readPlainText(name, { maxBytes: MAX_LABEL_BYTES });
  const table = scanCsv(text, name);
  const labelColumns = checkedColumns(table, name);
  const isClass = labelColumns.length === 1 && labelColumns[0] === "class";
  const columnIndex = (column: string) => table.columns.indexOf(column);
  const labels = isClass ? [...valuesOf(table.rows, columnIndex("class"))].sort() : labelColumns;
  const task = isClass ? "classes" : "multi-label";
  const rows = new LabelRows(listing, name, task, labels.length);
  const places = new Map(labels.map((label, place) => [label, place]));
  const columns = isClass ? [] : labels.map(columnIndex);
  const [fileColumn, identityColumn] = [columnIndex("file"), columnIndex("identity")];
  for (const { line, fields } of table.rows) {
    const where = whereIn(name, line);
    const empty = table.columns.find((_, index) => fields[index] === "");
    if (empty !== undefined) {
      throw new LetheError(`${where} has no ${empty}`, "every field is filled", "fill it in");
    }
    const targets = isClass
      ? [places.get(fields[columnIndex("class")])!]
      : labels.map((label, i) =>
        binaryTarget(fields[columns[i]], label, where, labelRemedy(label, labels))
      );
    const file = checkedRelativePath(fields[fileColumn], where);
    rows.add({ file, identity: fields[identityColumn], targets, line });
  }
  return { task, labels, ...rows.finish(name) };
}

function valuesOf(rows: Iterable<CsvRow>, column: number): Set<string> {
  const values = new Set<string>();
  for (const { fields } of rows) values.add(fields[column]);
  return values;
}

/** What to do about a label's value, as what its column is called tells. */
function labelRemedy(label: string, labels: readonly string[]): string {
  if (label !== "class") return "correct it, or name a single column of class names `class`";
  const others = labels.filter((name) => name !== label).join(", ");
  return `correct it, or leave out ${others}: a column class holds names where it is the only one`;
}

/**
 * Reads one multi-label value of a CSV: 1 for yes, 0 or -1 for no.
 *
 * @param remedy what to do about another
 */
export function binaryTarget(
  value: string,
  label: string,
  where: string,
  remedy = "correct it",
): number {
  if (value === "1") return 1;
  if (value === "0" || value === "-1") return 0;
  throw new LetheError(
    `${where} gives ${label} the value ${JSON.stringify(value)}`,
    "labels are 1 (yes) or 0 (no)",
    remedy,
  );
}

function checkedColumns({ columns }: Pick<CsvTable, "columns">, name: string): string[] {
  const labels = columns.filter((column) => column !== "file" && column !== "identity");
  const complete = columns.length === labels.length + 2 && labels.length > 0;
  if (complete && !labels.includes("")) return labels;
  throw new LetheError(
    `${name} has the columns ${columns.map((column) => `"${column}"`).join(", ")}`,
    "it needs file, identity and at least one named label (or class)",
    "correct the header",
  );
}

async function onlyCsv(root: string): Promise<string> {
  const entries = await listFolder(root, "it is the data set's folder");
  const found = entries.filter(({ isFile, name }) =>
    isFile && !isLeftover(name) && /\.(csv|tsv)$/i.test(name)
  )
    .map(({ name }) => name);
  if (found.length === 1) return found[0];
  throw new LetheError(
    found.length === 0
      ? `${root} holds no CSV file`
      : `${root} holds ${found.sort().join(" and ")}`,
    "the labels are in one CSV file beside the images",
    "leave exactly one there, with the columns file, identity and labels",
  );
}
