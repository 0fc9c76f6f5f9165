import { join } from "@std/path";
import { LetheError } from "../../error.ts";
import { checkedRelativePath } from "../../files/relative_path.ts";
import { type AttributeLayout, findAttributeFiles } from "./find_attribute_files.ts";
import { listImages } from "./image_listing.ts";
import { labelLines, type Line } from "./label_lines.ts";
import { LabelRows } from "./label_rows.ts";
import { duplicateRow, type LayoutContent, whereIn } from "./layout.ts";

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
  const path = join(root, names.attributes);
  await using identities = openIdentities(root, names.identities);
  await using lines = labelLines(root, names.attributes);
  const { labels, counted } = await readHeader(lines, path);
  const rows = new LabelRows(listing, path, "multi-label", labels.length);
  let count = 0;
  for await (const { line, fields: [name, ...values] } of lines) {
    const where = whereIn(path, line);
    const identity = await identities.personOf(name);
    if (identity === undefined) {
      throw new LetheError(
        `${where} names ${name}, which ${names.identities} does not`,
        "both files list the same images",
        "add the missing or remove the extra row",
      );
    }
    const file = `${names.images}/${checkedRelativePath(name, where)}`;
    rows.add({ file, identity, targets: targetsOf(where, values, labels), line });
    count++;
  }
  counted(count);
  const content = rows.finish(names.attributes);
  const extra = await identities.left();
  if (extra) {
    throw new LetheError(
      `${extra.where} names ${extra.name}, which ${names.attributes} does not`,
      "both files list the same images",
      "add the missing or remove the extra row",
    );
  }
  return { root, task: "multi-label", labels, ...content };
}

/** The attributes' names, and what holds the number of rows against the file's own count. */
async function readHeader(lines: AsyncGenerator<Line, undefined>, path: string) {
  const first: Line = (await lines.next()).value ?? { line: 1, fields: [] };
  if (path.endsWith(".csv")) {
    const labels = checkedLabels(whereIn(path, first.line), first.fields.slice(1));
    return { labels, counted: () => {} };
  }
  const { value: second } = await lines.next();
  if (!second) {
    throw new LetheError(
      `${path} has no header`,
      "its first line counts the rows, its second names the attributes",
      "get the file again",
    );
  }
  const counted = (rows: number) => {
    if (first.fields.length === 1 && first.fields[0] === String(rows)) return;
    throw new LetheError(
      `${whereIn(path, first.line)} says ${first.fields.join(" ")}, and ${rows} rows follow`,
      "the first line counts the rows",
      "add the missing rows, remove the extra ones, or correct the count",
    );
  };
  if (first.fields.length !== 1 || !/^\d+$/.test(first.fields[0])) {
    counted((await Array.fromAsync(lines, () => 1)).length); // it is no count at all
  }
  return { labels: checkedLabels(whereIn(path, second.line), second.fields), counted };
}

/** Who is on which image. */
interface Identities extends AsyncDisposable {
  personOf(file: string): Promise<string | undefined>;
  /** A row whose file was not asked for, once all have been; the first one. */
  left(): Promise<{ readonly name: string; readonly where: string } | null>;
}

/**
 * Reads a file of identities beside one of attributes. Where both list the images in one order, as they
 * mostly do, nothing of it stays in memory.
 */
function openIdentities(root: string, name: string): Identities {
  const path = join(root, name);
  const rows = async function* () {
    const lines = labelLines(root, name);
    if (name.endsWith(".csv")) await lines.next();
    for await (const { line, fields } of lines) {
      if (fields.length !== 2) {
        throw new LetheError(
          `${whereIn(path, line)} has ${fields.length} fields`,
          "a row is a file and a person",
          "correct the row",
        );
      }
      yield { file: fields[0], person: fields[1], line };
    }
  };
  /** All of it, once more. @throws {LetheError} a file has two rows */
  const everything = async () => {
    const all = new Map<string, { readonly person: string; readonly line: number }>();
    for await (const { file, person, line } of rows()) {
      const earlier = all.get(file);
      if (earlier) throw duplicateRow(whereIn(path, line), file, whereIn(path, earlier.line));
      all.set(file, { person, line });
    }
    return all;
  };
  const rest = rows();
  /** Rows that came before their files were asked for. */
  const early = new Map<string, { readonly person: string; readonly line: number }>();
  return {
    async personOf(wanted) {
      const known = early.get(wanted);
      if (known) {
        early.delete(wanted);
        return known.person;
      }
      for (let next = await rest.next(); !next.done; next = await rest.next()) {
        const { file, person, line } = next.value;
        if (file === wanted) return person;
        const earlier = early.get(file);
        if (earlier) throw duplicateRow(whereIn(path, line), file, whereIn(path, earlier.line));
        early.set(file, { person, line });
      }
      // Not there, or asked for before.
      return (await everything()).get(wanted)?.person;
    },
    async left() {
      for (let next = await rest.next(); !next.done; next = await rest.next()) {
        const { file, person, line } = next.value;
        early.set(file, { person, line });
      }
      if (early.size === 0) return null;
      await everything(); // a second row about an image that was asked for is left as well
      const [file, { line }] = [...early].reduce((a, b) => a[1].line < b[1].line ? a : b);
      return { name: file, where: whereIn(path, line) };
    },
    [Symbol.asyncDispose]: () => rest[Symbol.asyncDispose](),
  };
}

function checkedLabels(where: string, fields: readonly string[]): readonly string[] {
  const twice = fields.find((field, index) => fields.indexOf(field) !== index);
  if (twice === undefined) return fields;
  throw new LetheError(
    `${where} names the attribute ${twice} twice`,
    "every attribute has a name of its own",
    "get the file again",
  );
}

function targetsOf(
  where: string,
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
