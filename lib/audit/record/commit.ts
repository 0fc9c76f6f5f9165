import { join } from "@std/path";

/**
 * The commit that a repository's working tree was made from, as its `.git` says; it does not tell of
 * changes since. No program is run.
 *
 * @returns 40 or 64 hexadecimal digits; null where there is no repository or it cannot be told
 */
export async function commitOf(project: string): Promise<string | null> {
  const read = (...path: string[]) =>
    Deno.readTextFile(join(...path)).then((text) => text.trim(), () => null);
  const inFolder = await Deno.lstat(join(project, ".git")).catch(() => null);
  if (inFolder === null) return null;
  // A linked working tree has a file that names its folder, which names the common one.
  const git = inFolder.isDirectory
    ? join(project, ".git")
    : (await read(project, ".git"))?.replace(/^gitdir: /, "") ?? "";
  const common = join(git, await read(git, "commondir") ?? ".");
  const head = await read(git, "HEAD");
  const name = head?.match(/^ref: (refs\/[^\0]+)$/)?.[1];
  if (name === undefined) return hash(head);
  const loose = await read(git, name) ?? await read(common, name);
  if (loose !== null) return hash(loose);
  const packed = await read(common, "packed-refs");
  const line = packed?.split("\n").find((line) => line.endsWith(` ${name}`));
  return hash(line?.split(" ", 1)[0] ?? null);
}

function hash(text: string | null): string | null {
  return text !== null && /^(?:[0-9a-f]{40}|[0-9a-f]{64})$/.test(text) ? text : null;
}
