import { LetheError } from "../../error.ts";
import { listFolder } from "../../files/list_folder.ts";
import { findByName, type Found, innermost } from "./find_layout.ts";

/** Names of what a layout of CelebA's kind consists of; label files end in `.txt` or `.csv`. */
export interface AttributeLayout {
  /** What people call the data set. */
  readonly name: string;
  readonly images: string;
  readonly attributes: string;
  readonly identities: string;
  /** Where the identities come from, which many copies lack. */
  readonly source: string;
}

/** Where a layout's three parts lie. */
export interface AttributePaths {
  /** The innermost folder that holds them all. */
  readonly root: string;
  /** Relative to it, with forward slashes. */
  readonly images: string;
  readonly attributes: string;
  readonly identities: string;
}

const ENDINGS = [".txt", ".csv"];
const ARCHIVES = [".zip", ".7z", ".7z.001", ".tar", ".tar.gz", ".tgz"];

/**
 * Looks for a layout's image folder and label files below a root. Of several the nearest are taken.
 *
 * @throws {LetheError} one of them is missing, or two are equally near
 */
export async function findAttributeFiles(
  root: string,
  layout: AttributeLayout,
): Promise<AttributePaths> {
  const { images, attributes, identities } = layout;
  const withEndings = (name: string, endings: readonly string[]) =>
    endings.map((ending) => name + ending);
  const wanted = {
    images: [images],
    attributes: withEndings(attributes, ENDINGS),
    identities: withEndings(identities, ENDINGS),
    archive: withEndings(images, ARCHIVES),
  };
  const found = await findByName(root, new Set(Object.values(wanted).flat()));
  const nearest = (names: readonly string[], isFile: boolean) =>
    onlyNearest(
      found.filter((one) => one.isFile === isFile && names.includes(last(one.path))),
      root,
    );
  const parts = {
    images: nearest(wanted.images, false),
    attributes: nearest(wanted.attributes, true),
    identities: nearest(wanted.identities, true),
  };
  const { images: folder, attributes: labels, identities: people } = parts;
  if (folder && labels && people) {
    const inner = await innermost(root, folder);
    return below(root, { images: inner, attributes: labels, identities: people });
  }
  const archive = nearest(wanted.archive, true);
  const missing = [
    ...(folder ? [] : [`${images}/`]),
    ...(labels ? [] : [`${attributes}.txt`]),
    ...(people ? [] : [`${identities}.txt`]),
  ];
  throw new LetheError(
    `${root} holds no ${missing.join(" and no ")}`,
    `${layout.name} is ${images}/, ${attributes}.txt and ${identities}.txt (or .csv), there or below`,
    !folder && archive
      ? `unpack ${archive}`
      : missing.length === 1 && !people
      ? layout.source
      : `check the path and the name of the data set${await whatIsThere(root)}`,
  );
}

/** The nearest of several; of two in one folder the one whose ending comes first. */
function onlyNearest(found: readonly Found[], root: string): string | undefined {
  if (found.length === 0) return undefined;
  const depth = (path: string) => path.split("/").length;
  const near = found.filter(({ path }) => depth(path) === depth(found[0].path));
  const folderOf = (path: string) => path.slice(0, path.length - last(path).length);
  const other = near.find(({ path }) => folderOf(path) !== folderOf(near[0].path));
  if (other) {
    throw new LetheError(
      `${root} holds ${near[0].path} and ${other.path}`,
      "one data set is read at a time",
      "name the folder of one of them",
    );
  }
  return near.find(({ path }) => path.endsWith(ENDINGS[0]))?.path ?? near[0].path;
}

/** Paths below the innermost folder that they share. */
function below(
  root: string,
  parts: Omit<AttributePaths, "root">,
): AttributePaths {
  let { images, attributes, identities } = parts;
  for (;;) {
    const [first] = attributes.split("/");
    const shared = [images, attributes, identities].every((path) => path.startsWith(`${first}/`));
    if (!shared) return { root, images, attributes, identities };
    root = `${root.replace(/[/\\]+$/, "")}/${first}`;
    [images, attributes, identities] = [images, attributes, identities]
      .map((path) => path.slice(first.length + 1));
  }
}

/** What a folder holds, for somebody who expected something else. */
async function whatIsThere(root: string): Promise<string> {
  const names = (await listFolder(root, "it is the data set's folder"))
    .map(({ name, isFile }) => isFile ? name : `${name}/`)
    .filter((name) => !name.startsWith(".")).sort();
  if (names.length === 0) return "; it is empty";
  return `; it holds ${names.slice(0, 6).join(", ")}${names.length > 6 ? ", .." : ""}`;
}

function last(path: string): string {
  return path.slice(path.lastIndexOf("/") + 1);
}
