import { join } from "@std/path";
import { LetheError } from "../../error.ts";
import { listFolder } from "../../files/list_folder.ts";

/**
 * The images in a folder and its subfolders, by their names' endings (.jpg, .jpeg, .png in any
 * case). Symbolic links and names that begin with a dot are passed over.
 *
 * @param root the data set's folder
 * @param folder a folder below it, or "" for itself
 * @returns paths relative to `root`, with forward slashes
 * @throws {LetheError} when the folder is missing, unreadable or holds no image
 */
export async function listImages(root: string, folder: string): Promise<Set<string>> {
  const found = new Set<string>();
  const pending = [folder];
  for (let current = pending.pop(); current !== undefined; current = pending.pop()) {
    for (const entry of await listFolder(join(root, current), "the images lie in this folder")) {
      if (entry.name.startsWith(".")) continue;
      const path = current === "" ? entry.name : `${current}/${entry.name}`;
      if (entry.isDirectory) pending.push(path);
      else if (entry.isFile && /\.(jpe?g|png)$/i.test(entry.name)) found.add(path);
    }
  }
  if (found.size === 0) {
    throw new LetheError(
      `${join(root, folder)} holds no image`,
      "JPEG or PNG files are needed",
      "put the images there",
    );
  }
  return found;
}
