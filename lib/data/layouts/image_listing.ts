import { join } from "@std/path";
import { LetheError } from "../../error.ts";
import { folderEntries } from "../../files/list_folder.ts";
import { type FileTable, packFiles } from "../file_table.ts";
import { isImageName, type OtherFormat, otherFormatOf } from "../images/formats.ts";
import { isLeftover } from "./find_layout.ts";

/** Images of a format that is not read. */
export interface UnreadImages {
  readonly format: OtherFormat;
  /** Relative to the data set's root. */
  readonly files: readonly string[];
}

/** What lies in a folder and its subfolders. */
export interface ImageListing {
  /** Images that can be read, by their names' endings in any case; sorted. */
  readonly images: FileTable;
  /** Others, by format. */
  readonly unread: readonly UnreadImages[];
}

/**
 * The images in a folder and its subfolders, by their names' endings. Symbolic links, names that begin
 * with a dot and `__MACOSX` are passed over.
 *
 * @param root the data set's folder
 * @param folder a folder below it, or "" for itself
 * @returns paths relative to `root`, with forward slashes
 * @throws {LetheError} when the folder is missing, unreadable or holds no image
 */
export async function listImages(root: string, folder: string): Promise<ImageListing> {
  const images = new Map<string, string[]>();
  const unread = new Map<OtherFormat, string[]>();
  const pending = [folder];
  let links = 0;
  for (let current = pending.pop(); current !== undefined; current = pending.pop()) {
    for await (const entry of folderEntries(join(root, current), "the images lie in this folder")) {
      if (isLeftover(entry.name)) continue;
      const path = current === "" ? entry.name : `${current}/${entry.name}`;
      if (entry.isDirectory) pending.push(path);
      if (entry.isSymlink && isImageName(entry.name)) links++;
      if (!entry.isFile) continue;
      if (isImageName(entry.name)) {
        const own = images.get(current);
        if (own) own.push(entry.name);
        else images.set(current, [entry.name]);
      }
      const format = otherFormatOf(entry.name);
      if (format) unread.set(format, unread.get(format) ?? []);
      if (format) unread.get(format)!.push(path);
    }
  }
  const others = [...unread].map(([format, files]) => ({ format, files: files.sort() }));
  if (images.size === 0) {
    const [first] = others;
    if (links > 0 && !first) {
      throw new LetheError(
        `${join(root, folder)} holds no image but ${links} symbolic links`,
        "images are files of the data set's own; links are passed over, wherever they lead",
        "put the files there, or hard links to them",
      );
    }
    throw new LetheError(
      `${join(root, folder)} holds no image`,
      first
        ? `JPEG, PNG or WebP files are needed, and ${first.files[0]} is ${first.format.name}`
        : "JPEG, PNG or WebP files are needed",
      first ? `convert them: ${first.format.convert(first.files[0])}` : "put the images there",
    );
  }
  return { images: packed(images), unread: others };
}

/** Images by folder, as a sorted table. */
function packed(images: ReadonlyMap<string, string[]>): FileTable {
  const under = (folder: string) => folder === "" ? "" : `${folder}/`;
  const [only, ...others] = images;
  // Paths of hundreds of thousands take tens of megabytes more than their names.
  if (others.length === 0) return packFiles(only[1].sort(), under(only[0]));
  const paths = [...images].flatMap(([folder, names]) =>
    names.map((name) => `${under(folder)}${name}`)
  );
  return packFiles(paths.sort());
}
