import { firstLine, LetheError } from "../error.ts";

/**
 * A folder's entries.
 *
 * @param path the folder
 * @param rule what lies there, for the error
 * @throws {LetheError} when there is no such folder or it cannot be read
 */
export function listFolder(path: string, rule: string): Promise<Deno.DirEntry[]> {
  return Array.fromAsync(folderEntries(path, rule));
}

/** As {@link listFolder}, one after the other. */
export async function* folderEntries(path: string, rule: string): AsyncGenerator<Deno.DirEntry> {
  try {
    yield* Deno.readDir(path);
  } catch (cause) {
    if (cause instanceof Deno.errors.NotFound) {
      throw new LetheError(`${path} does not exist`, rule, "check the path", { cause });
    }
    if (cause instanceof Deno.errors.NotADirectory) {
      throw new LetheError(`${path} is not a folder`, rule, "check the path", { cause });
    }
    const why = firstLine(cause);
    throw new LetheError(
      `${path} cannot be read (${why})`,
      rule,
      "mend its rights or the permissions granted",
      { cause },
    );
  }
}
