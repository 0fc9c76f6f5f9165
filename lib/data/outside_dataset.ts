import { basename, dirname, join, relative, resolve, SEPARATOR } from "@std/path";
import { UsageError } from "../error.ts";

/**
 * Refuses an output within the data set that it is made of: pictures there would be images without a row,
 * so that no later command took the data set, and what appears there while it is read makes its index anew.
 *
 * @param out what is to be made; it need not be there
 * @param root the data set's folder
 * @throws {UsageError} it lies there, by the paths that links lead to
 */
export async function refuseWithinDataset(out: string, root: string): Promise<void> {
  const path = relative(await realPath(root), await realPath(out));
  const isOutside = path === ".." || path.startsWith(`..${SEPARATOR}`) || resolve(path) === path;
  if (isOutside) return;
  throw new UsageError(
    `${out} lies in the data set ${root}`,
    "a data set's folder holds its own files and nothing that is made of them",
    "name a place outside of it",
  );
}

/** Where a path leads, of which the last parts need not be there. */
async function realPath(path: string): Promise<string> {
  const whole = resolve(path);
  const real = await Deno.realPath(whole).catch(() => null);
  if (real !== null || dirname(whole) === whole) return real ?? whole;
  return join(await realPath(dirname(whole)), basename(whole));
}
