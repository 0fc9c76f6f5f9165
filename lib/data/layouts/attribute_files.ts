import { join } from "@std/path";
import { LetheError } from "../../error.ts";
import { readPlainText } from "../../files/plain_file.ts";
import { parseCsv } from "../../files/csv.ts";
import { checkedRelativePath } from "../../files/relative_path.ts";
import { type AttributeLayout, findAttributeFiles } from "./find_attribute_files.ts";
import { listImages } from "./image_listing.ts";
import {
  duplicateRow,
  type LabelledRow,
  type LayoutContent,
  matchRows,
  MAX_LABEL_BYTES,
} from "./layout.ts";

interface Line {
  readonly where: string;
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
  const rows = body.map((line): LabelledRow => {
    const [name, ...values] = line.fields;
    const identity = identities.get(name);
    if (!identity) {
      throw new LetheError(
        `${line.where} names ${name}, which ${names.identities} does not`,
        "both files list the same images",
        "add the missing or remove the extra row",
      );
    }
    const file = `${names.images}/${checkedRelativePath(name, line.where)}`;
    const targets = targetsOf(line, values, labels);
    return { where: line.where, file, identity: identity.person, targets };
  });
  const matched = matchRows(rows, listing, names.attributes); // also: no row comes twice
  if (identities.size > rows.length) {
    const listed = new Set(body.map(({ fields }) => fields[0]));
    const [name, { where }] = [...identities].find(([name]) => !listed.has(name))!;
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
  if (name.endsWith(".csv")) {
    const [header, ...body] = await readCsvLines(root, name);
    return { labels: checkedLabels({ ...header, fields: header.fields.slice(1) }), body };
  }
  const [count, header, ...body] = await readLines(root, name);
  if (!header) {
    throw new LetheError(
      `${join(root, name)} has no header`,
      "its first line counts the rows, its second names the attributes",
      "get the file again",
    );
  }
  const labels = checkedLabels(header);
  if (count.fields.length !== 1 || count.fields[0] !== String(body.length)) {
    throw new LetheError(
      `${count.where} says ${count.fields.join(" ")}, and ${body.length} rows follow`,
      "the first line counts the rows",
      "add the missing rows, remove the extra ones, or correct the count",
    );
  }
  return { labels, body };
}

async function readCsvLines(root: string, name: string): Promise<Line[]> {
  const path = join(root, name);
  const { columns, rows } = parseCsv(
    await readPlainText(path, { maxBytes: MAX_LABEL_BYTES }),
    path,
  );
  return [
    { where: `${path} line 1`, fields: columns },
    ...rows.map(({ line, fields }) => ({ where: `${path} line ${line}`, fields })),
  ];
}

async function readLines(root: string, name: string): Promise<Line[]> {
  const text = await readPlainText(join(root, name), {
    maxBytes: MAX_LABEL_BYTES,
    remedy: "check the path, or get the file with the data set",
  });
  return text.split("\n")
    .map((line, index) => ({
      where: `${join(root, name)} line ${index + 1}`,
      fields: line.trim().split(/\s+/),
    }))
    .filter(({ fields }) => fields[0] !== "");
}

async function readIdentities(
  root: string,
  name: string,
): Promise<Map<string, { person: string; where: string }>> {
  const people = new Map<string, { person: string; where: string }>();
  const lines = name.endsWith(".csv")
    ? (await readCsvLines(root, name)).slice(1)
    : await readLines(root, name);
  for (const { where, fields } of lines) {
    if (fields.length !== 2) {
      throw new LetheError(
        `${where} has ${fields.length} fields`,
        "a row is a file and a person",
        "correct the row",
      );
    }
    const [file, person] = fields;
    const earlier = people.get(file);
    if (earlier) throw duplicateRow(where, file, earlier.where);
    people.set(file, { person, where });
  }
  return people;
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
