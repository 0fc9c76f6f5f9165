import { dirname, join, resolve } from "@std/path";
import { firstLine, LetheError } from "../../error.ts";
import {
  BOOLEAN,
  HASH,
  integer,
  JsonFields,
  line,
  list,
  nullable,
  oneOf,
  parseJsonObject,
} from "../../files/json_fields.ts";
import { readPlainText } from "../../files/plain_file.ts";

/**
 * Where it is noted that a kit goes or went through a request: beside the kit, which itself never
 * changes. One line of JSON per mark; lines are appended and none is ever changed.
 *
 * The name is the one that commit 4832d1b has for its own note, an object of several lines, which stays
 * above the marks. So whoever moves, copies or restores a kit by that name takes the marks along, and
 * that version, which cannot read them, refuses a kit that this one has used.
 */
export function usesPath(kit: string): string {
  return `${resolve(kit)}.successor.json`;
}

/** Where versions between commit 4832d1b and this one left their marks; they are read and none is added. */
export function earlierUsesPath(kit: string): string {
  return `${resolve(kit)}.uses.jsonl`;
}

/** A line of {@link usesPath}. */
export interface UseMark {
  readonly version: 1;
  /** `begun` before the step; then `done` once the output is made, and `given up` if nothing came of it. */
  readonly mark: "begun" | "done" | "given up";
  /** Id of the kit that is used: another kit may have lain there before. */
  readonly kit: string;
  /** 256 random bits: which `done` belongs to which `begun`. */
  readonly run: string;
  /** ISO 8601, UTC. */
  readonly time: string;
  /** Where the output goes or lies, as it was named. */
  readonly out: string;
  /** The next kit's id; null until there is one. */
  readonly next: string | null;
  /** Whether the kit was used all the same, after an earlier request; and why, where somebody said so. */
  readonly branch: boolean;
  readonly reason: string | null;
}

/** A kit in use by this process; nobody else can use it meanwhile. */
export interface KitUse {
  /**
   * Marks that the output is made, before it takes its name: whoever kills the run in between, and moves
   * the output away, has a kit that has been used. @param next the next kit's id
   */
  made(next: string): Promise<void>;
  /** The output has its name. */
  done(): void;
  /** Marks that nothing came of it, or leaves no mark where there is no other; nothing after `done`. */
  giveUp(): void;
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

const REMEDY = "restore it; without it nobody can tell whether the kit is the newest";

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
    let last: UseMark["mark"] = "begun";
    let ended = false;
    const end = () => {
      ended = true;
      globalThis.removeEventListener("unload", onUnload);
    };
    const stop = () => {
      if (ended) return;
      end();
      // Stopped when the output had taken its name: it is there, and counts.
      if (isThereSync(out)) {
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
      giveUp() {
        if (ended) return;
        try {
          stop();
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

/** A use that came to something. */
export interface Use {
  /** Where its kit lies, as it was named. */
  readonly out: string;
  /** The next kit's id, where it was noted. */
  readonly next: string | null;
  readonly reason: string | null;
}

/**
 * The requests that a kit of this id went through, as the notes beside it and beside the other kits of its
 * folder tell.
 *
 * @throws {LetheError} they are damaged
 */
export async function usesOf(kit: string, id: string): Promise<Use[]> {
  const [own, others] = [await readRecord(kit), await readNeighbours(kit)];
  const notes = [...own.notes, ...others.notes].filter((note) => note.kit === id);
  const marks = [...own.marks, ...others.marks].filter((mark) => mark.kit === id);
  const uses = notes.flatMap(({ successors }) => successors)
    .map((out): Use => ({ out, next: null, reason: null }));
  for (const { mark, run, out, reason } of marks) {
    if (mark !== "begun") continue;
    const end = marks.findLast((other) => other.run === run && other.mark !== "begun");
    // Begun and not ended: it was killed, or the disk was full. If its output is there it is used.
    const made = end ? end.mark === "done" : await isThere(out);
    if (made) uses.push({ out: nextKit(out), next: end?.next ?? null, reason });
  }
  return uses;
}

/** All marks beside a kit, also those of other kits that lay there. @throws {LetheError} damaged */
export async function readMarks(kit: string): Promise<UseMark[]> {
  return (await readRecord(kit)).marks;
}

/** A note of commit 4832d1b: where the successors of a kit lie. */
interface Note {
  readonly kit: string;
  readonly successors: readonly string[];
}

/** What lies beside kits. */
interface UsesRecord {
  readonly notes: Note[];
  readonly marks: UseMark[];
}

/** What lies beside a kit. */
function readRecord(kit: string): Promise<UsesRecord> {
  return readRecords([earlierUsesPath(kit), usesPath(kit)]);
}

/**
 * What lies beside the other kits of the same folder: a kit that was copied, or renamed after it was used,
 * has its uses there. Whatever of it cannot be read is about some other kit.
 */
async function readNeighbours(kit: string): Promise<UsesRecord> {
  const own = [earlierUsesPath(kit), usesPath(kit)];
  const folder = dirname(own[0]);
  const found: UsesRecord = { notes: [], marks: [] };
  const entries = await Array.fromAsync(Deno.readDir(folder)).catch(() => []);
  for (const { name, isFile } of entries) {
    const path = join(folder, name);
    if (!isFile || !/\.(?:successor\.json|uses\.jsonl)$/.test(name) || own.includes(path)) continue;
    const { notes, marks } = await readRecords([path]).catch(() => ({ notes: [], marks: [] }));
    found.notes.push(...notes);
    found.marks.push(...marks);
  }
  return found;
}

async function readRecords(paths: readonly string[]): Promise<UsesRecord> {
  const notes: Note[] = [];
  const marks: UseMark[] = [];
  for (const path of paths) {
    if (!await isThere(path)) continue;
    const text = await readPlainText(path, { maxBytes: 2 ** 24, remedy: REMEDY });
    const note = NOTE.exec(text)?.[0] ?? "";
    if (note !== "") notes.push(parseNote(note, path));
    const lines = text.slice(note.length).split("\n");
    const half = lines.pop()!;
    if (!isHalfMark(half)) parseMark(half, `${path}, its last line`);
    marks.push(...lines.map((line, i) => parseMark(line, `${path} line ${i + 1}`)));
  }
  return { notes, marks };
}

/** How every mark begins. */
const MARK = '{"version":1,"mark":';

/** A note comes first: an object over several lines, or all there is, where every mark is a line. */
const NOTE = new RegExp(`^\\{\n[^]*?\n\\}(?:\n|$)|^(?!${RegExp.escape(MARK)})\\{[^\n]*\\}$`);

/** A mark that was cut short belongs to a run that never began. */
function isHalfMark(text: string): boolean {
  return text.startsWith(MARK) || MARK.startsWith(text);
}

function parseNote(text: string, path: string): Note {
  const fields = new JsonFields(parseJsonObject(text, path, REMEDY), path, REMEDY);
  fields.read("version", integer(1, 1));
  const note = {
    kit: fields.read("kit", HASH),
    successors: fields.read("successors", list(line(4096), 1, 1000)),
  };
  fields.end();
  return note;
}

function parseMark(text: string, where: string): UseMark {
  const fields = new JsonFields(parseJsonObject(text, where, REMEDY), where, REMEDY);
  const mark: UseMark = {
    version: fields.read("version", integer(1, 1)) as 1,
    mark: fields.read("mark", oneOf(["begun", "done", "given up"])),
    kit: fields.read("kit", HASH),
    run: fields.read("run", HASH),
    time: fields.read("time", line(100)),
    out: fields.read("out", line(4096)),
    next: fields.read("next", nullable(HASH)),
    branch: fields.read("branch", BOOLEAN),
    reason: fields.read("reason", nullable(line(1000))),
  };
  fields.end();
  return mark;
}

/** Opens the marks to append to; held until the run ends, and let go of by the system if it is killed. */
async function openLocked(path: string, kit: string): Promise<Deno.FsFile> {
  for (;;) {
    const file = await Deno.open(path, { read: true, append: true, create: true })
      .catch((cause) => cannotMark(path, cause));
    try {
      if (!await file.tryLock(true)) {
        throw new LetheError(
          `${kit} is in use by another run`,
          "two requests from one kit would leave two futures of it",
          "wait until that has ended, then use the kit that it writes",
        );
      }
      // A run that gave up may have taken the file away between opening and locking it.
      const [held, there] = [await file.stat(), await Deno.lstat(path).catch(() => null)];
      if (there !== null && there.ino === held.ino && there.dev === held.dev) return file;
    } catch (error) {
      file.close();
      throw error;
    }
    file.close();
  }
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

function succeeded(kit: string, successors: readonly string[]): LetheError {
  return new LetheError(
    `${kit} has a successor, ${[...new Set(successors)].join(" and ")}`,
    "going back to a kit restores the people whom its successor forgot",
    "use the successor, or --branch to do it all the same",
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

async function isThere(path: string): Promise<boolean> {
  return await Deno.lstat(path).then(() => true, () => false);
}

function nextKit(out: string): string {
  return `${out.replace(/[/\\]+$/, "")}/kit`;
}
