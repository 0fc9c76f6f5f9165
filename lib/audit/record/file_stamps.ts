import { join } from "@std/path";

/** Below this a file is hashed again, which is as quick. */
const LARGE = 2 ** 22;
/** Deno tells a change's time by the second. */
const SECOND = 1000;

/**
 * What the system says of each large file of some folders: its number, size and the time of its last
 * change, which no program can set back. As long as that is the same nobody has written to it, and it need
 * not be read again to know.
 *
 * @param now milliseconds; the time at which they are taken
 * @returns by path; without files that changed a moment ago, or where the system tells no such time
 */
export async function fileStamps(
  folders: readonly string[],
  now = Date.now(),
): Promise<ReadonlyMap<string, string>> {
  const stamps = new Map<string, string>();
  const walk = async (folder: string) => {
    for await (const { name, isDirectory } of Deno.readDir(folder)) {
      const path = join(folder, name);
      if (isDirectory) await walk(path);
      const stamp = isDirectory ? null : await stampOf(path, now);
      if (stamp !== null) stamps.set(path, stamp);
    }
  };
  for (const folder of folders) await walk(folder);
  return stamps;
}

/** Whether a file is as it was when the stamps were taken, as far as they tell: null where they do not. */
export async function isUntouched(
  path: string,
  stamps: ReadonlyMap<string, string>,
): Promise<boolean | null> {
  const before = stamps.get(path);
  return before === undefined ? null : await stampOf(path, Infinity) === before;
}

async function stampOf(path: string, now: number): Promise<string | null> {
  const info = await Deno.lstat(path).catch(() => null);
  if (info === null || !info.isFile || info.size < LARGE || !info.ctime) return null;
  const { dev, ino, size, nlink, ctime, mtime } = info;
  // A change within the second of the last one would leave the same time.
  if (ctime.getTime() > now - 2 * SECOND) return null;
  return [dev, ino, size, nlink, ctime.getTime(), mtime?.getTime()].join(" ");
}
