import { join } from "@std/path";
import { sha256File, sha256Hex } from "../files/sha256.ts";

/** Files that may hold labels; they are hashed, the others' names are. */
const LABEL_FILE = /\.(txt|csv)$/i;
/** What a layout may look at: images, label files, folders. */
const LOOKED_AT = /\.(jpe?g|png|webp|heic|heif|avif|txt|csv)$/i;
/** Folders of more entries are known by the time of their last change: listing takes long. */
const LISTED = 5000;

/**
 * What a data set's folder holds, as far as a layout may look at it, in lines that change with any name
 * and with any byte of a label file. Images are not opened: whoever reads one holds it against its own
 * hash. A folder of many images is known by its time of change, which any new, renamed or removed name
 * sets; in a copy it differs as well.
 */
export interface FolderState {
  /** By path: time of change, ms, or the names' hash where they are few. */
  readonly folders: Readonly<Record<string, number | string>>;
  /** Label files by path: SHA-256. */
  readonly labels: Readonly<Record<string, string>>;
}

/** The state as it is now. @param listed folders of at most so many entries are told by their names */
export async function folderState(root: string, listed = LISTED): Promise<FolderState> {
  const folders: Record<string, number | string> = {};
  const labels: Record<string, string> = {};
  const pending = [""];
  for (let folder = pending.pop(); folder !== undefined; folder = pending.pop()) {
    const first: Deno.DirEntry[] = [];
    let entries = 0;
    // Not the synchronous listing, which makes objects of all names at once.
    for await (const entry of Deno.readDir(join(root, folder))) {
      if (entries++ < listed) first.push(entry);
      const { name, isDirectory, isFile } = entry;
      const path = folder === "" ? name : `${folder}/${name}`;
      if (isDirectory) pending.push(path);
      if (isFile && LABEL_FILE.test(name)) labels[path] = sha256File(join(root, path));
    }
    folders[folder] = entries > listed ? changeOf(join(root, folder)) : namesOf(first);
  }
  return { folders, labels };
}

/** Whether a folder still is as it was. @throws what the file system throws where something is gone */
export function isUnchanged(root: string, { folders, labels }: FolderState): boolean {
  return Object.entries(folders).every(([folder, state]) => {
    const path = join(root, folder);
    return typeof state === "number"
      ? changeOf(path) === state
      : namesOf([...Deno.readDirSync(path)]) === state;
  }) && Object.entries(labels).every(([file, hash]) => sha256File(join(root, file)) === hash);
}

function changeOf(folder: string): number {
  return Deno.statSync(folder).mtime?.getTime() ?? 0;
}

/** The names that a layout may look at, as one text. */
function namesOf(entries: readonly Deno.DirEntry[]): string {
  const names = entries.filter(({ name, isFile }) => !isFile || LOOKED_AT.test(name))
    .map(({ name, isDirectory, isFile }) => `${isDirectory ? "/" : isFile ? "" : "@"}${name}`);
  return sha256Hex(new TextEncoder().encode(names.sort().join("\n")));
}
