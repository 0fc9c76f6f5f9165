import { dirname } from "@std/path";

/** What systems say of a disk or a quota that is full; a worker's error comes as text, without its code. */
const FULL =
  /no space left on device|disk quota exceeded|disk is full|not enough space on the disk/i;

/** Whether a write failed for want of room. */
export function isNoRoom(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  const { code } = error as Error & { code?: unknown };
  return code === "ENOSPC" || code === "EDQUOT" || FULL.test(error.message);
}

/** What to do about a disk that is full. @param path what was to be written, where that is known */
export function roomRemedy(path?: string): string {
  return path === undefined
    ? "make room, or choose a place on another disk"
    : `make room on the disk of ${dirname(path)}, or choose a place on another one`;
}
