import { shell } from "./shell.ts";

/** One line of /proc/self/mountinfo. */
export interface Mount {
  /** Where it is mounted. */
  readonly point: string;
  /** Major and minor number of the file system. */
  readonly device: string;
  /** Which of the file system's folders is mounted there. */
  readonly root: string;
}

/** This process's mounts in order; none where the system does not tell (it is not Linux). */
export async function readMounts(): Promise<Mount[]> {
  // Deno reads nothing below /proc unless everything is allowed.
  const { out } = await shell("cat /proc/self/mountinfo 2>/dev/null");
  return parseMounts(out);
}

/** Reads the text of mountinfo, see proc(5). */
export function parseMounts(text: string): Mount[] {
  const plain = (field: string) =>
    field.replace(/\\([0-7]{3})/g, (_, octal) => String.fromCharCode(parseInt(octal, 8)));
  return text.split("\n").map((line) => line.split(" ")).filter(({ length }) => length > 4)
    .map(([, , device, root, point]) => ({ device, root: plain(root), point: plain(point) }));
}

/** Where a path is stored, whatever it is mounted as: two paths to one folder have one place. */
export interface Place {
  readonly device: string;
  readonly path: string;
}

/** @param path absolute, without links */
export function placeOf(path: string, mounts: readonly Mount[]): Place {
  let best: Mount = { point: "/", device: "", root: "/" };
  for (const mount of mounts) {
    // Of mounts at one point the last one is on top.
    if (isWithin(path, mount.point) && mount.point.length >= best.point.length) best = mount;
  }
  const below = path.slice(best.point === "/" ? 0 : best.point.length);
  return { device: best.device, path: best.root === "/" ? below || "/" : best.root + below };
}

/** Whether a path is a folder or lies in it; both absolute, without links. */
export function isWithin(path: string, folder: string): boolean {
  if (path === folder || folder === "/") return true;
  return path.startsWith(folder) && /[/\\]/.test(path[folder.length]);
}

/** Linux has no longer path. */
const MAX_PATH = 4096;

/**
 * As {@link isWithin}, of any of some folders. A receipt may list hundreds of thousands, and be asked as
 * often: the time does not grow with their number.
 */
export function withinAny(folders: Iterable<string>): (path: string) => boolean {
  const known = new Set(folders);
  return (path) => {
    if (known.has(path) || known.has("/")) return true;
    for (let end = 0; end < path.length && end <= MAX_PATH; end++) {
      if (/[/\\]/.test(path[end]) && known.has(path.slice(0, end))) return true;
    }
    return false;
  };
}

/** Whether one place is the other or lies in it. */
export function overlap(a: Place, b: Place): boolean {
  return a.device === b.device && (isWithin(a.path, b.path) || isWithin(b.path, a.path));
}
