import { resolve } from "@std/path";
import { firstLine, LetheError } from "../../error.ts";
import { holdFile, isHeld } from "../../files/file_lock.ts";
import {
  endsOf,
  isHalfMark,
  neighbours,
  readRecords,
  type UseMark,
  usesOf,
  usesPath,
} from "./uses_record.ts";

/** A kit in use by this process; nobody else can use it meanwhile. */
export interface KitUse {
  /**
   * Marks that the output is made, before it takes its name: whoever kills the run in between, and moves
   * the output away, has a kit that has been used. @param next the next kit's id
   */
  made(next: string): Promise<void>;
  /** The output has its name. */
  done(): void;
  /**
   * Marks that nothing came of it, or leaves no mark where there is no other; nothing after `done`.
   *
   * @param othersOutput what lies where the output was to go is another run's
   */
  giveUp(othersOutput?: boolean): void;
}

/** What {@link beginUse} needs. */
export interface UseOptions {
  readonly kit: string;
  /** The kit's id. */
  readonly id: string;
  readonly out: string;
  /** Use it all the same where it has been used. */
  readonly branch?: boolean | undefined;
  readonly reason?: string | undefined;
}

/**
 * Marks a kit as used before it is: of two runs that begin at once one is refused, and a run that cannot
 * leave its mark, on a full disk for example, does not begin. A run that was killed, and left no output,
 * does not stand in the way of the next.
 *
 * @throws {LetheError} another run uses the kit at this moment; it has been used and `branch` is not set;
 *   the marks are damaged or cannot be written
 */
export async function beginUse(options: UseOptions): Promise<KitUse> {
  const { kit, id, branch = false, reason } = options;
  const out = resolve(options.out);
  const path = usesPath(kit);
  const file = await openLocked(path, kit);
  try {
    const used = await usesOf(kit, id);
    if (used.length > 0 && !branch) throw succeeded(kit, used.map(({ out }) => out));
    const run = crypto.getRandomValues(new Uint8Array(32)).toHex();
    const append = (mark: UseMark["mark"], next: string | null) =>
      appendMark(file, path, {
        ...{ version: 1, mark, kit: id, run, time: new Date().toISOString(), out, next },
        ...{ branch: used.length > 0, reason: reason ?? null },
      });
    await endLastLine(file, path);
    const first = (await file.stat()).size === 0;
    append("begun", null);
    await file.sync();
    if (await copyInUse(kit, id)) {
      if (first) Deno.removeSync(path);
      else append("given up", null);
      throw inUse(kit);
    }
    let last: UseMark["mark"] = "begun";
    let ended = false;
    const end = () => {
      ended = true;
      globalThis.removeEventListener("unload", onUnload);
    };
    const stop = (othersOutput = false) => {
      if (ended) return;
      end();
      // Stopped when the output had taken its name: it is there, and counts.
      if (!othersOutput && isThereSync(out)) {
        if (last === "begun") append("done", null);
      } else if (first) Deno.removeSync(path); // Nothing came of the only run there was.
      else append("given up", null);
    };
    // What cannot be marked while the process ends is told by what lies there.
    const onUnload = () => {
      try {
        stop();
      } catch { /* nobody is left to tell */ }
    };
    globalThis.addEventListener("unload", onUnload);
    return {
      async made(next) {
        append("done", next);
        last = "done";
        await file.sync();
      },
      done() {
        end();
        file.close();
      },
      giveUp(othersOutput = false) {
        if (ended) return;
        try {
          stop(othersOutput);
        } finally {
          file.close();
        }
      },
    };
  } catch (error) {
    file.close();
    throw error;
  }
}

/** @throws {LetheError} the kit has been through a request: going back would restore whom that forgot */
export async function refuseUsed(kit: string, id: string): Promise<void> {
  const used = await usesOf(kit, id);
  if (used.length > 0) throw succeeded(kit, used.map(({ out }) => out));
}

/**
 * Whether a run uses a copy of the kit in the same folder at this moment. Of two that begin at once each
 * sees the other's mark, and both are refused.
 */
async function copyInUse(kit: string, id: string): Promise<boolean> {
  for (const path of await neighbours(kit)) {
    const { marks } = await readRecords([path]).catch(() => ({ marks: [] }));
    const ends = endsOf(marks);
    if (!marks.some((mark) => mark.kit === id && mark.mark === "begun" && !ends.has(mark.run))) {
      continue;
    }
    if (await isHeld(path)) return true;
  }
  return false;
}

/** How often a file may be taken away between opening and locking it: runs that give up are few. */
const ATTEMPTS = 100;

/** Opens the marks to append to; held until the run ends, and let go of by the system if it is killed. */
async function openLocked(path: string, kit: string): Promise<Deno.FsFile> {
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    await refuseOtherThanFile(path);
    const file = await Deno.open(path, { read: true, append: true, create: true })
      .catch((cause) => cannotMark(path, cause));
    try {
      if (!await holdFile(file, true)) throw inUse(kit);
      // A run that gave up may have taken the file away between opening and locking it.
      const [held, there] = [await file.stat(), await Deno.lstat(path).catch(() => null)];
      if (there !== null && there.ino === held.ino && there.dev === held.dev) return file;
    } catch (error) {
      file.close();
      throw error;
    }
    file.close();
  }
  cannotMark(path, new Error("it does not stay where it is"));
}

/** Marks behind a link would be another file's, and a device keeps none. */
async function refuseOtherThanFile(path: string): Promise<void> {
  const info = await Deno.lstat(path).catch(() => null);
  if (info === null || info.isFile) return;
  throw new LetheError(
    `${path} is ${info.isSymlink ? "a symbolic link" : "no plain file"}`,
    "it keeps the record of the kit's uses",
    "put the record itself there",
  );
}

/** Drops a mark that was cut off in the middle; a note that ends without a line break gets one. */
async function endLastLine(file: Deno.FsFile, path: string): Promise<void> {
  const text = await Deno.readTextFile(path);
  const half = text.slice(text.lastIndexOf("\n") + 1);
  if (half === "") return;
  if (isHalfMark(half)) await file.truncate(new TextEncoder().encode(text).length - half.length);
  else await file.write(new TextEncoder().encode("\n"));
}

/** At once: a process that ends cannot wait. The file was opened to append, so nothing is overwritten. */
function appendMark(file: Deno.FsFile, path: string, mark: UseMark): void {
  const bytes = new TextEncoder().encode(JSON.stringify(mark) + "\n");
  try {
    const before = file.statSync().size;
    if (file.writeSync(bytes) === bytes.length) return;
    file.truncateSync(before); // of its own half line
    throw new Error("there is no room");
  } catch (cause) {
    cannotMark(path, cause);
  }
}

function inUse(kit: string): LetheError {
  return new LetheError(
    `${kit} is in use by another run`,
    "two requests from one kit would leave two futures of it",
    "wait until that has ended, then use the kit that it writes",
  );
}

function succeeded(kit: string, successors: readonly string[]): LetheError {
  return new LetheError(
    `${kit} has a successor, ${[...new Set(successors)].join(" and ")}`,
    "going back to a kit restores the people whom its successor forgot",
    "use the successor, or --branch --reason TEXT to do it all the same",
  );
}

function cannotMark(path: string, cause: unknown): never {
  throw new LetheError(
    `${path} cannot be written (${firstLine(cause)})`,
    "a kit is marked as used before it is, so that it has one future",
    "make room or mend the rights of the kit's folder",
    { cause },
  );
}

function isThereSync(path: string): boolean {
  try {
    Deno.lstatSync(path);
    return true;
  } catch {
    return false;
  }
}
