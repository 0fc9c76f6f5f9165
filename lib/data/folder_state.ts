import { join } from "@std/path";
import { sha256File, sha256Hex } from "../files/sha256.ts";
import { nameSum } from "./name_sum.ts";

/** Files that may hold labels; they are hashed, the others' names are. */
const LABEL_FILE = /\.(txt|csv)$/i;
/** What a layout may look at: images, label files, folders. */
const LOOKED_AT = /\.(jpe?g|png|webp|heic|heif|avif|txt|csv)$/i;
/** Folders of more entries are known by the time of their last change: listing takes long. */
const LISTED = 5000;

/** What a folder of many entries is known by. */
export interface LargeFolder {
  /** The time of its last change, ms. Any new, renamed or removed name sets it. */
  readonly changed: number;
  /** {@link nameSum} of its names: what a copy of the folder has, or one that was touched. */
  readonly names: string;
}

/**
 * What a data set's folder holds, as far as a layout may look at it, in lines that change with any name
 * and with any byte of a label file. Images are not opened: whoever reads one holds it against its own
 * hash. The names of a folder of many images are looked at only where the time of its change is another.
 */
export interface FolderState {
  /** By path: the names' hash, where they are few. An index of before has the time of change alone. */
  readonly folders: Readonly<Record<string, string | LargeFolder | number>>;
  /** Label files by path: SHA-256. */
  readonly labels: Readonly<Record<string, string>>;
}

/** The state as it is now. @param listed folders of at most so many entries are told by their names */
export async function folderState(root: string, listed = LISTED): Promise<FolderState> {
  const folders: Record<string, string | LargeFolder> = {};
  const labels: Record<string, string> = {};
  const pending = [""];
  for (let folder = pending.pop(); folder !== undefined; folder = pending.pop()) {
    const changed = changeOf(join(root, folder));
    const first: Deno.DirEntry[] = [];
    const sum = nameSum();
    // Not the synchronous listing, which makes objects of all names at once.
    for await (const entry of Deno.readDir(join(root, folder))) {
      if (first.length <= listed) first.push(entry);
      if (isLookedAt(entry)) sum.add(marked(entry));
      const { name, isDirectory, isFile } = entry;
      const path = folder === "" ? name : `${folder}/${name}`;
      if (isDirectory) pending.push(path);
      if (isFile && LABEL_FILE.test(name)) labels[path] = sha256File(join(root, path));
    }
    folders[folder] = first.length > listed ? { changed, names: sum.text() } : namesOf(first);
  }
  return { folders, labels };
}

/** Whether a folder still is as it was. @throws what the file system throws where something is gone */
export async function isUnchanged(
  root: string,
  { folders, labels }: FolderState,
): Promise<boolean> {
  for (const [folder, state] of Object.entries(folders)) {
    if (!await isSame(join(root, folder), state)) return false;
  }
  return Object.entries(labels).every(([file, hash]) => sha256File(join(root, file)) === hash);
}

async function isSame(path: string, state: FolderState["folders"][string]): Promise<boolean> {
  if (typeof state === "number") return changeOf(path) === state;
  if (typeof state === "string") return namesOf([...Deno.readDirSync(path)]) === state;
  if (changeOf(path) === state.changed) return true;
  const sum = nameSum();
  for await (const entry of Deno.readDir(path)) if (isLookedAt(entry)) sum.add(marked(entry));
  return sum.text() === state.names;
}

function changeOf(folder: string): number {
  return Deno.statSync(folder).mtime?.getTime() ?? 0;
}

const isLookedAt = ({ name, isFile }: Deno.DirEntry) => !isFile || LOOKED_AT.test(name);
/** A name that tells folders, files and links apart. */
const marked = ({ name, isDirectory, isFile }: Deno.DirEntry) =>
  `${isDirectory ? "/" : isFile ? "" : "@"}${name}`;

/** The names that a layout may look at, as one text. */
function namesOf(entries: readonly Deno.DirEntry[]): string {
  const names = entries.filter(isLookedAt).map(marked);
  return sha256Hex(new TextEncoder().encode(names.sort().join("\n")));
}
