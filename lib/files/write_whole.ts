import { basename, dirname, join, resolve } from "@std/path";
import { firstLine, LetheError } from "../error.ts";
import { unlessGivenUp } from "./interruption.ts";
import { isNoRoom, roomRemedy } from "./no_room.ts";
import { withTemporaryPath } from "./temporary_path.ts";

/**
 * Writes a file whole or not at all: the bytes go to a new file beside `path` (same folder, so the
 * rename is atomic; unpredictable name, so nothing can lie in wait there), are flushed to the disk,
 * and take the name. A file already at `path` is replaced. Missing parent folders are made.
 *
 * @param path the file to write
 * @param content bytes, some after others (made as they are written, if need be), or text to be written
 *   as UTF-8
 * @throws {LetheError} when the file cannot be written; nothing is left behind
 */
export async function writeWhole(
  path: string,
  content: Uint8Array | Iterable<Uint8Array> | string,
): Promise<void> {
  const parts = typeof content === "string"
    ? [new TextEncoder().encode(content)]
    : content instanceof Uint8Array
    ? [content]
    : content;
  const temporary = temporaryName(path);
  await withTemporaryPath(temporary, async () => {
    await Deno.mkdir(dirname(temporary), { recursive: true });
    const file = await Deno.open(temporary, { write: true, createNew: true });
    try {
      for (const bytes of parts) {
        for (let done = 0; done < bytes.length;) done += await file.write(bytes.subarray(done));
      }
      await file.sync();
    } finally {
      file.close();
    }
    await unlessGivenUp();
    Deno.renameSync(temporary, path); // at once: a signal finds it made or not made
  }).catch((cause) => {
    throw cannotWrite(path, cause);
  });
  await syncFolder(dirname(resolve(path)));
}

/**
 * Builds a folder that appears whole or not at all: `build` fills a staging folder beside `path`;
 * when it returns, every file is flushed to the disk and the folder takes its name. When it throws or
 * the process exits meanwhile, the staging folder is removed. Missing parent folders are made.
 *
 * @param path the folder to make; it must not exist
 * @param build fills the staging folder whose path it is given
 * @returns what `build` returned
 * @throws {LetheError} when `path` exists or cannot be written
 */
export async function buildFolder<T>(
  path: string,
  build: (staging: string) => Promise<T>,
): Promise<T> {
  await refuseExisting(path);
  const staging = temporaryName(path);
  return await withTemporaryPath(staging, async () => {
    await Deno.mkdir(staging, { recursive: true }).catch((cause) => {
      throw cannotWrite(path, cause);
    });
    const result = await build(staging);
    await syncTree(staging);
    await refuseExisting(path); // it may have appeared meanwhile; rename would replace an empty folder
    await unlessGivenUp();
    Deno.renameSync(staging, path); // as in `writeWhole`
    await syncFolder(dirname(resolve(path)));
    return result;
  }).catch((error) => {
    throw byOwnName(error, staging, path);
  });
}

/** An error of a folder's making by the folder's own name: nobody knows the one that it is built under. */
function byOwnName(error: unknown, staging: string, path: string): unknown {
  if (error instanceof LetheError) {
    const { value, rule, remedy, exitCode, cause } = error;
    if (!value.includes(staging)) return error;
    const told = value.replaceAll(staging, path);
    return new LetheError(told, rule, remedy, { exitCode, cause });
  }
  const isReadOnly = error instanceof Error && /read-only file system/i.test(error.message);
  return isReadOnly || isNoRoom(error) || error instanceof Deno.errors.NotCapable
    ? cannotWrite(path, error)
    : error;
}

/**
 * Refuses a path at which anything lies, a dangling symbolic link included. Commands that work for
 * long call it before they begin.
 *
 * @param remedy what to do about it
 * @throws {LetheError} when something is at `path`
 */
export async function refuseExisting(
  path: string,
  remedy = "name a path that does not exist, or move the old one away",
): Promise<void> {
  try {
    await Deno.lstat(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return;
    throw cannotWrite(path, error);
  }
  throw new LetheError(
    `${path} exists`,
    "an output is not written over unasked",
    remedy,
  );
}

/**
 * Removes what killed processes left when they wrote {@link writeWhole}'s or {@link buildFolder}'s
 * `path`. Only for whoever alone writes it: another process's unfinished output would go too.
 */
export async function removeUnfinished(path: string): Promise<void> {
  const absolute = resolve(path);
  const [folder, start] = [dirname(absolute), `.${basename(absolute)}.`];
  try {
    for await (const { name } of Deno.readDir(folder)) {
      if (!name.startsWith(start) || !UNFINISHED.test(name.slice(start.length))) continue;
      await Deno.remove(join(folder, name), { recursive: true });
    }
  } catch {
    // Leftovers take room and do no harm; whatever keeps us from the folder is told on writing.
  }
}

/** The end of such a name. */
const UNFINISHED = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\.part$/;

/** A name in the same folder that nobody can guess. */
function temporaryName(path: string): string {
  const absolute = resolve(path);
  return join(dirname(absolute), `.${basename(absolute)}.${crypto.randomUUID()}.part`);
}

async function syncTree(folder: string): Promise<void> {
  for await (const entry of Deno.readDir(folder)) {
    const path = join(folder, entry.name);
    if (entry.isDirectory) await syncTree(path);
    else if (entry.isFile) {
      // Windows flushes only what may be written.
      const file = await Deno.open(path, { read: true, write: Deno.build.os === "windows" });
      try {
        await file.sync();
      } finally {
        file.close();
      }
    }
  }
  await syncFolder(folder);
}

/** Flushes a folder's entries; not every system can open a folder, and the files are safe already. */
async function syncFolder(folder: string): Promise<void> {
  try {
    const handle = await Deno.open(folder, { read: true });
    try {
      await handle.sync();
    } finally {
      handle.close();
    }
  } catch {
    // Windows opens no folders; a sandbox may grant no read there.
  }
}

/** That an output cannot be written, and why. */
export function cannotWrite(path: string, cause: unknown): LetheError {
  const why = firstLine(cause);
  return new LetheError(
    `${path} cannot be written (${why})`,
    "outputs go to a folder with room that this user may write to",
    isNoRoom(cause) ? roomRemedy(path) : "choose another place or mend its rights",
    { cause },
  );
}
