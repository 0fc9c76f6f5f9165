import { join } from "@std/path";
import { folderEntries, listFolder } from "../../files/list_folder.ts";

/** How deep below the root a layout's files are looked for, and in how many folders at most. */
const DEPTH = 3;
const MOST_FOLDERS = 256;

/** What macOS puts into archives, Windows into folders of pictures, and a Synology beside them. */
const LEFT = ["__MACOSX", "Thumbs.db", "ehthumbs.db", "desktop.ini", "@eaDir"];

/** Names that are no part of anybody's data: dot files and what systems leave. */
export function isLeftover(name: string): boolean {
  return name.startsWith(".") || LEFT.includes(name);
}

/** A file or folder below a root. */
export interface Found {
  /** Relative to the root, with forward slashes. */
  readonly path: string;
  readonly isFile: boolean;
}

/**
 * The files and folders of some names below a root, the nearest first, then by path. Folders of such
 * names are not looked into: they hold the images.
 *
 * @throws {LetheError} the root cannot be read
 */
export async function findByName(root: string, names: ReadonlySet<string>): Promise<Found[]> {
  const found: Found[] = [];
  let level = [""];
  let folders = 0;
  for (let depth = 0; depth <= DEPTH && level.length > 0; depth++) {
    const next: string[] = [];
    for (const folder of level.sort()) {
      if (folders++ === MOST_FOLDERS) return found;
      for (const entry of await listFolder(join(root, folder), "it is the data set's folder")) {
        if (isLeftover(entry.name)) continue;
        const path = folder === "" ? entry.name : `${folder}/${entry.name}`;
        // Large data sets often lie elsewhere, behind a link.
        const isFile = entry.isFile ||
          (entry.isSymlink && !await Deno.stat(join(root, path)).then(
            ({ isDirectory }) => isDirectory,
            () => false,
          ));
        if (names.has(entry.name)) found.push({ path, isFile });
        else if (!isFile) next.push(path);
      }
    }
    level = next;
  }
  return found.sort((a, b) =>
    a.path.split("/").length - b.path.split("/").length || (a.path < b.path ? -1 : 1)
  );
}

/**
 * The folder that the images of a folder lie in: itself, or, where it holds nothing but one folder, that
 * one, as archives unpacked into a folder of their own name leave it.
 *
 * @param path relative to the root
 * @returns relative to the root
 */
export async function innermost(root: string, path: string): Promise<string> {
  for (let depth = 0; depth < DEPTH; depth++) {
    const only = await onlyEntry(join(root, path));
    if (only === null || only.isFile) return path;
    path = `${path}/${only.name}`;
  }
  return path;
}

/** What alone is in a folder of images; null where there is something else or nothing. */
async function onlyEntry(path: string): Promise<Deno.DirEntry | null> {
  let only: Deno.DirEntry | null = null;
  for await (const entry of folderEntries(path, "the images lie in this folder")) {
    if (isLeftover(entry.name)) continue;
    if (only) return null;
    only = entry;
  }
  return only;
}
