import { resolve } from "@std/path";
import { firstLine, LetheError } from "../error.ts";
import { sha256Hex } from "./sha256.ts";

/** A file that was read, and what was in it. */
export interface FileRead {
  /** Absolute, without links. */
  readonly path: string;
  readonly sha256: string;
  readonly bytes: number;
}

/** Every file that this thread has read since {@link guardReads}; null before. */
let guarded: FileRead[] | null = null;

/**
 * From now on this thread reads no file that has a second name: none behind a symbolic link anywhere
 * in its path, none with a second hard link. Each that it reads is noted with its hash. For the
 * worker, where another name could stand for a file that it has no right to.
 *
 * @returns the notes, in order; they grow as files are read
 */
export function guardReads(): readonly FileRead[] {
  return guarded ??= [];
}

/** What may be read, and what is said of a file that is missing. */
export interface PlainFileOptions {
  /** The largest size that is read at all, bytes. */
  readonly maxBytes: number;
  /** What to do when the file is missing; default: check the path. */
  readonly remedy?: string;
}

/** A plain file that is open for reading. */
export interface OpenPlainFile {
  readonly size: number;
  /**
   * Reads on, in the file's order.
   *
   * @returns the bytes that it filled in; 0 at the end
   */
  read(into: Uint8Array): Promise<number>;
  /** To be called after the last byte. @throws {LetheError} the file has not `size` bytes any more */
  end(): Promise<void>;
  close(): void;
}

/**
 * Opens a file that must be just that: no symbolic link, folder, pipe or device, no larger than allowed,
 * and the same file from the check to the last byte.
 *
 * @throws {LetheError} when the file is missing, unreadable, not plain or too large
 */
export async function openPlainFile(
  path: string,
  { maxBytes, remedy = "check the path" }: PlainFileOptions,
): Promise<OpenPlainFile> {
  const before = await Deno.lstat(path).catch((cause) => refuse(path, cause, remedy));
  if (before.isSymlink) {
    throw new LetheError(
      `${path} is a symbolic link`,
      "Lethe reads plain files only",
      "put the file itself there",
    );
  }
  if (!before.isFile) {
    const kind = before.isDirectory ? "a folder" : "a device, pipe or socket";
    throw new LetheError(`${path} is ${kind}`, "a plain file is needed here", remedy);
  }
  if (before.size > maxBytes) {
    throw new LetheError(
      `${path} has ${before.size} bytes`,
      `at most ${maxBytes} are read from a file of this kind`,
      "check that it is the right file",
    );
  }
  if (guarded) await refuseSecondName(path, before);
  const file = await Deno.open(path, { read: true }).catch((cause) => refuse(path, cause, remedy));
  try {
    const opened = await file.stat();
    // Between lstat and open the name may have come to mean another file.
    if (opened.ino !== before.ino || opened.dev !== before.dev || opened.size !== before.size) {
      throw changed(path);
    }
    if (guarded) await refuseSecondName(path, opened);
  } catch (error) {
    file.close();
    throw error;
  }
  let done = 0;
  return {
    size: before.size,
    async read(into) {
      const count = await file.read(into) ?? 0;
      done += count;
      return count;
    },
    async end() {
      // One byte more than expected, to notice a file that grows.
      if (done !== before.size || await file.read(new Uint8Array(1)) !== null) throw changed(path);
    },
    close: () => file.close(),
  };
}

/** Notes a file that was read, under {@link guardReads}. */
export function noteRead(path: string, sha256: string, bytes: number): void {
  guarded?.push({ path: resolve(path), sha256, bytes });
}

/**
 * Reads a file as {@link openPlainFile} opens it.
 *
 * @returns its bytes
 * @throws {LetheError} when the file is missing, unreadable, not plain, too large, or changes
 */
export async function readPlainFile(
  path: string,
  options: PlainFileOptions,
): Promise<Uint8Array<ArrayBuffer>> {
  const bytes = await readAll(path, options);
  if (guarded) noteRead(path, sha256Hex(bytes), bytes.length);
  return bytes;
}

/** As {@link readPlainFile}, with the hash, which is taken once. */
export async function readHashedFile(
  path: string,
  options: PlainFileOptions,
): Promise<{ bytes: Uint8Array<ArrayBuffer>; sha256: string }> {
  const bytes = await readAll(path, options);
  const sha256 = sha256Hex(bytes);
  noteRead(path, sha256, bytes.length);
  return { bytes, sha256 };
}

async function readAll(path: string, options: PlainFileOptions): Promise<Uint8Array<ArrayBuffer>> {
  const file = await openPlainFile(path, options);
  try {
    const bytes = new Uint8Array(file.size);
    for (let filled = 0; filled < bytes.length;) {
      const count = await file.read(bytes.subarray(filled));
      if (count === 0) break; // it shrank; `end` says so
      filled += count;
    }
    await file.end();
    return bytes;
  } finally {
    file.close();
  }
}

/** Under {@link guardReads}: @throws {LetheError} the file is known by another name as well */
async function refuseSecondName(path: string, { nlink }: Deno.FileInfo): Promise<void> {
  const real = await Deno.realPath(path);
  const links = nlink ?? 1; // Windows does not count them
  if (real === resolve(path) && links === 1) return;
  throw new LetheError(
    links === 1 ? `${path} is ${real}` : `${path} has ${links} hard links`,
    "a file that unlearning reads has one name",
    "put a copy of the file itself there",
  );
}

/**
 * As {@link readPlainFile}, decoded as UTF-8 text without its byte order mark.
 *
 * @throws {LetheError} also when the bytes are not UTF-8
 */
export async function readPlainText(
  path: string,
  options: PlainFileOptions,
): Promise<string> {
  const bytes = await readPlainFile(path, options);
  try {
    const text = new TextDecoder("utf-8", { fatal: true }).decode(bytes);
    // Of a large label file: the collector would let it lie beside the text and all that is made of it.
    bytes.buffer.transfer(0);
    return text;
  } catch (cause) {
    throw notText(path, cause);
  }
}

/** The error for a file that is no UTF-8 text. */
export function notText(path: string, cause: unknown): LetheError {
  return new LetheError(
    `${path} is not UTF-8 text`,
    "label files, splits and settings are UTF-8",
    "convert it, e.g. with iconv, or check that it is the right file",
    { cause },
  );
}

function refuse(path: string, cause: unknown, remedy: string): never {
  if (cause instanceof Deno.errors.NotFound || cause instanceof Deno.errors.NotADirectory) {
    throw new LetheError(`${path} does not exist`, "it is needed here", remedy, { cause });
  }
  const why = firstLine(cause);
  throw new LetheError(
    `${path} cannot be read (${why})`,
    "it must be readable by this user and process",
    "mend its rights or the permissions granted",
    { cause },
  );
}

function changed(path: string): LetheError {
  return new LetheError(
    `${path} changed while it was read`,
    "a file must hold still from check to last byte",
    "run again once nothing writes to it",
  );
}
