import { join } from "@std/path";
import { LetheError } from "../../error.ts";
import { readPlainText } from "../../files/plain_file.ts";
import { scanCsv } from "../../files/csv.ts";
import { checkedRelativePath } from "../../files/relative_path.ts";
import { TargetTable } from "../target_table.ts";
import { type AttributeLayout, findAttributeFiles } from "./find_attribute_files.ts";
import { listImages } from "./image_listing.ts";
import {
  duplicateRow,
  LabelledRow,
  type LayoutContent,
  matchRows,
  MAX_LABEL_BYTES,
  whereIn,
} from "./layout.ts";

interface Line {
  readonly where: string;
  /** From 1 on. */
  readonly line: number;
  readonly fields: readonly string[];
}

/**
 * Reads CelebA's kind of layout: a folder of images; a file of attributes (number of rows, names,
 * then per row a file and 1 or -1 per attribute, 0 counting as -1); a file of identities (per row a
 * file and a person). Fields are separated by any white space; rows may come in any order. As CSV the
 * first column is the file, and the header names the others.
 *
 * @throws {LetheError} when a file is missing or breaks these rules, naming it and the line
 */
export async function readAttributeFiles(
  folder: string,
  layout: AttributeLayout,
): Promise<LayoutContent> {
  const names = await findAttributeFiles(folder, layout);
  const { root } = names;
  const listing = await listImages(root, names.images);
  const identities = await readIdentities(root, names.identities);
  const { labels, body } = await readAttributes(root, names.attributes);
  const path = join(root, names.attributes);
  const table = new TargetTable("multi-label", labels.length);
  const rows: LabelledRow[] = [];
  for (const line of body) {
    const [name, ...values] = line.fields;
    const identity = identities.personOf(name);
    if (identity === undefined) {
      throw new LetheError(
        `${line.where} names ${name}, which ${names.identities} does not`,
        "both files list the same images",
        "add the missing or remove the extra row",
      );
    }
    const file = `${names.images}/${checkedRelativePath(name, line.where)}`;
    const row = table.add(targetsOf(line, values, labels));
    rows.push(new LabelledRow(file, identity, table, row, path, line.line));
  }
  const matched = matchRows(rows, listing, names.attributes); // also: no row comes twice
  if (identities.count > rows.length) {
    const listed = new Set<string>();
    for (const { fields: [name] } of body) listed.add(name);
    const { name, where } = identities.first((name) => !listed.has(name));
    throw new LetheError(
      `${where} names ${name}, which ${names.attributes} does not`,
      "both files list the same images",
      "add the missing or remove the extra row",
    );
  }
  return { root, task: "multi-label", labels, ...matched };
}

/** The attributes' names, and their rows. */
async function readAttributes(root: string, name: string) {
  const lines = await readLines(root, name);
  const [first, second] = take(lines, 2);
  if (name.endsWith(".csv")) {
    return {
      labels: checkedLabels({ ...first, fields: first.fields.slice(1) }),
      body: without(lines, 1),
    };
  }
  if (!second) {
    throw new LetheError(
      `${join(root, name)} has no header`,
      "its first line counts the rows, its second names the attributes",
      "get the file again",
    );
  }
  const labels = checkedLabels(second);
  const body = without(lines, 2);
  let rows = 0;
  for (const _ of body) rows++;
  if (first.fields.length !== 1 || first.fields[0] !== String(rows)) {
    throw new LetheError(
      `${first.where} says ${first.fields.join(" ")}, and ${rows} rows follow`,
      "the first line counts the rows",
      "add the missing rows, remove the extra ones, or correct the count",
    );
  }
  return { labels, body };
}

/**
 * A label file's lines that are not empty, each taken apart when it is its turn: all at once take a
 * gigabyte where the file takes 26 MB.
 */
async function readLines(root: string, name: string): Promise<Iterable<Line>> {
  const path = join(root, name);
  const text = await readPlainText(path, {
    maxBytes: MAX_LABEL_BYTES,
    remedy: "check the path, or get the file with the data set",
  });
  if (name.endsWith(".csv")) {
    const { columns, rows } = scanCsv(text, path);
    return again(function* () {
      yield lineOf(path, 1, columns);
      for (const { line, fields } of rows) yield lineOf(path, line, fields);
    });
  }
  return again(function* () {
    for (let line = 1, at = 0; at < text.length; line++) {
      const feed = text.indexOf("\n", at);
      const end = feed < 0 ? text.length : feed;
      const written = text.slice(at, end).trim();
      if (written !== "") yield lineOf(path, line, written.split(/\s+/));
      at = end + 1;
    }
  });
}

function lineOf(path: string, line: number, fields: readonly string[]): Line {
  return {
    line,
    fields,
    get where() {
      return whereIn(path, line);
    },
  };
}

/** What a generator gives, each time from its start. */
function again<T>(generator: () => Iterator<T>): Iterable<T> {
  return { [Symbol.iterator]: generator };
}

function take<T>(items: Iterable<T>, count: number): T[] {
  return [...Iterator.from(items[Symbol.iterator]()).take(count)];
}

function without<T>(items: Iterable<T>, count: number): Iterable<T> {
  return again(() => Iterator.from(items[Symbol.iterator]()).drop(count));
}

/** Who is on which image. */
interface Identities {
  readonly count: number;
  personOf(file: string): string | undefined;
  /** The first row whose file is wanted; there is one. */
  first(wanted: (file: string) => boolean): { readonly name: string; readonly where: string };
}

async function readIdentities(root: string, name: string): Promise<Identities> {
  const rows = new Map<string, number>();
  const people: string[] = [];
  const lines: number[] = [];
  const known = new Map<string, string>();
  const path = join(root, name);
  const all = await readLines(root, name);
  for (const { where, line, fields } of name.endsWith(".csv") ? without(all, 1) : all) {
    if (fields.length !== 2) {
      throw new LetheError(
        `${where} has ${fields.length} fields`,
        "a row is a file and a person",
        "correct the row",
      );
    }
    const [file, person] = fields;
    const earlier = rows.get(file);
    if (earlier !== undefined) throw duplicateRow(where, file, whereIn(path, lines[earlier]));
    rows.set(file, people.length);
    // One string for all of a person's images.
    const same = known.get(person) ?? person;
    known.set(same, same);
    people.push(same);
    lines.push(line);
  }
  return {
    count: people.length,
    personOf: (file) => people[rows.get(file) ?? -1],
    first(wanted) {
      const [name, row] = [...rows].find(([file]) => wanted(file))!;
      return { name, where: whereIn(path, lines[row]) };
    },
  };
}

function checkedLabels({ where, fields }: Line): readonly string[] {
  const twice = fields.find((field, index) => fields.indexOf(field) !== index);
  if (twice === undefined) return fields;
  throw new LetheError(
    `${where} names the attribute ${twice} twice`,
    "every attribute has a name of its own",
    "get the file again",
  );
}

function targetsOf(
  { where }: Line,
  values: readonly string[],
  labels: readonly string[],
): readonly number[] {
  if (values.length !== labels.length) {
    throw new LetheError(
      `${where} has ${values.length} values`,
      `the header names ${labels.length} attributes`,
      "add the missing or remove the extra value",
    );
  }
  return values.map((value, index) => {
    if (value === "1") return 1;
    if (value === "-1" || value === "0") return 0;
    throw new LetheError(
      `${where} gives ${labels[index]} the value ${value}`,
      "attributes are 1 (yes) or -1 (no)",
      "correct the value",
    );
  });
}
