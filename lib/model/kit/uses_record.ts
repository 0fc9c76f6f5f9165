import { dirname, join, resolve } from "@std/path";
import { JsonFields, parseJsonObject } from "../../files/json_fields.ts";
import * as is from "../../files/json_kinds.ts";
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

const REMEDY = "restore it; without it nobody can tell whether the kit is the newest";

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
  const ends = endsOf(marks);
  for (const { mark, run, out, reason } of marks) {
    if (mark !== "begun") continue;
    const end = ends.get(run);
    // Begun and not ended: it was killed, or the disk was full. If its output is there it is used.
    const made = end ? end.mark === "done" : await isThere(out);
    if (made) uses.push({ out: nextKit(out), next: end?.next ?? null, reason });
  }
  return uses;
}

/** The last mark of each run that ended. */
export function endsOf(marks: readonly UseMark[]): ReadonlyMap<string, UseMark> {
  return new Map(marks.filter(({ mark }) => mark !== "begun").map((end) => [end.run, end]));
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
  const found: UsesRecord = { notes: [], marks: [] };
  for (const path of await neighbours(kit)) {
    const { notes, marks } = await readRecords([path]).catch(() => ({ notes: [], marks: [] }));
    found.notes.push(...notes);
    found.marks.push(...marks);
  }
  return found;
}

/** The records beside the other kits of a kit's folder. */
export async function neighbours(kit: string): Promise<string[]> {
  const own = [earlierUsesPath(kit), usesPath(kit)];
  const folder = dirname(own[0]);
  const entries = await Array.fromAsync(Deno.readDir(folder)).catch(() => []);
  return entries
    .filter(({ name, isFile }) => isFile && /\.(?:successor\.json|uses\.jsonl)$/.test(name))
    .map(({ name }) => join(folder, name)).filter((path) => !own.includes(path));
}

export async function readRecords(paths: readonly string[]): Promise<UsesRecord> {
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
export function isHalfMark(text: string): boolean {
  return text.startsWith(MARK) || MARK.startsWith(text);
}

function parseNote(text: string, path: string): Note {
  const fields = new JsonFields(parseJsonObject(text, path, REMEDY), path, REMEDY);
  fields.read("version", is.integer(1, 1));
  const note = {
    kit: fields.read("kit", is.HASH),
    successors: fields.read("successors", is.list(is.line(4096), 1, 1000)),
  };
  fields.end();
  return note;
}

function parseMark(text: string, where: string): UseMark {
  const fields = new JsonFields(parseJsonObject(text, where, REMEDY), where, REMEDY);
  const mark: UseMark = {
    version: fields.read("version", is.integer(1, 1)) as 1,
    mark: fields.read("mark", is.oneOf(["begun", "done", "given up"])),
    kit: fields.read("kit", is.HASH),
    run: fields.read("run", is.HASH),
    time: fields.read("time", is.line(100)),
    out: fields.read("out", is.line(4096)),
    next: fields.read("next", is.nullable(is.HASH)),
    branch: fields.read("branch", is.BOOLEAN),
    reason: fields.read("reason", is.nullable(is.line(1000))),
  };
  fields.end();
  return mark;
}

function nextKit(out: string): string {
  return `${out.replace(/[/\\]+$/, "")}/kit`;
}

async function isThere(path: string): Promise<boolean> {
  return await Deno.lstat(path).then(() => true, () => false);
}
