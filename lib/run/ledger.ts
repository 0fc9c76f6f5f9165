import { join } from "@std/path";
import { LetheError } from "../error.ts";
import { JsonFields, parseJsonObject } from "../files/json_fields.ts";
import * as is from "../files/json_kinds.ts";
import { KEY_FINGERPRINT } from "../model/kit/parse_kit_manifest.ts";
import { readPlainText } from "../files/plain_file.ts";
import { sha256Hex } from "../files/sha256.ts";
import { cannotWrite } from "../files/write_whole.ts";

/** What became of a request. */
export const LEDGER_EVENTS = ["received", "done", "refused"] as const;

/** A line of the ledger. It names nobody: a person is a keyed hash, under the kit's key. */
export interface LedgerEntry {
  readonly version: 1;
  /** SHA-256 of the line before; null in the first: a line that is changed or taken out is found. */
  readonly previous: string | null;
  readonly event: typeof LEDGER_EVENTS[number];
  readonly person: string;
  /** ISO 8601, UTC. */
  readonly time: string;
  /** When the answer is due; of what was received. */
  readonly due: string | null;
  /** Why it was refused. */
  readonly reason: string | null;
  /** SHA-256 of the receipt, and the generation of the kit that came of it; of what is done. */
  readonly receipt: string | null;
  readonly generation: number | null;
  /** Ids of the kit that was used and of the one that came of it; of what is done, where its receipt told. */
  readonly kits?: { readonly before: string; readonly after: string };
  /** Which key the person's hash was made with (`keyFingerprint`); absent in lines of before it was kept. */
  readonly key?: string;
}

/** A request as the ledger tells of it now. */
export interface LedgerState {
  readonly person: string;
  readonly received: string;
  readonly due: string | null;
  /** The last thing that was noted; `received` is open. */
  readonly last: LedgerEntry;
}

/** Where the ledger of a folder lies. */
export function ledgerPath(folder: string): string {
  return join(folder, "ledger.jsonl");
}

const REMEDY = "restore the ledger from a copy; its lines are only ever appended";

/**
 * Reads a ledger and holds every line against the one before it.
 *
 * @throws {LetheError} it is damaged, or a line was changed or taken out
 */
export async function readLedger(folder: string): Promise<LedgerEntry[]> {
  const path = ledgerPath(folder);
  if (!await Deno.lstat(path).then(() => true, () => false)) return [];
  const text = await readPlainText(path, { maxBytes: 2 ** 28, remedy: REMEDY });
  const lines = text.split("\n");
  const rest = lines.pop()!;
  if (rest !== "") {
    throw new LetheError(`${path} ends in half a line`, "every line is whole", REMEDY);
  }
  let previous: string | null = null;
  return lines.map((text, i) => {
    const where = `${path} line ${i + 1}`;
    const entry = parseEntry(text, where);
    if (entry.previous !== previous) {
      throw new LetheError(
        `${where} does not follow on the line before it`,
        "none is changed",
        REMEDY,
      );
    }
    previous = sha256Hex(new TextEncoder().encode(text));
    return entry;
  });
}

function parseEntry(text: string, where: string): LedgerEntry {
  const fields = new JsonFields(parseJsonObject(text, where, REMEDY), where, REMEDY);
  const entry: LedgerEntry = {
    version: fields.read("version", is.integer(1, 1)) as 1,
    previous: fields.read("previous", is.nullable(is.HASH)),
    event: fields.read("event", is.oneOf(LEDGER_EVENTS)),
    person: fields.read("person", is.HASH),
    time: fields.read("time", is.line(30)),
    due: fields.read("due", is.nullable(is.line(30))),
    reason: fields.read("reason", is.nullable(is.line(1000))),
    receipt: fields.read("receipt", is.nullable(is.HASH)),
    generation: fields.read("generation", is.nullable(is.integer(0, Number.MAX_SAFE_INTEGER))),
    ...(fields.optional("kits", is.OBJECT) ? { kits: readKits(fields.within("kits")) } : {}),
  };
  const key = fields.optional("key", KEY_FINGERPRINT);
  fields.end();
  return { ...entry, ...(key === undefined ? {} : { key }) };
}

function readKits(fields: JsonFields): { before: string; after: string } {
  const kits = { before: fields.read("before", is.HASH), after: fields.read("after", is.HASH) };
  fields.end();
  return kits;
}

/** A kit from which more than one run went on. */
export interface Branching {
  /** The kit's id. */
  readonly kit: string;
  /** What came of each run, with the people whom it forgot. */
  readonly branches: readonly { readonly kit: string; readonly people: readonly string[] }[];
}

/**
 * Kits that were used twice, wherever their copies lie: whom one branch forgot the other still knows, until
 * it has forgotten them too.
 */
export function branchings(entries: readonly LedgerEntry[]): Branching[] {
  const runs = new Map<string, Map<string, string[]>>();
  for (const { kits, person } of entries) {
    if (kits === undefined) continue;
    const branches = runs.get(kits.before) ?? new Map<string, string[]>();
    runs.set(kits.before, branches);
    branches.set(kits.after, [...branches.get(kits.after) ?? [], person]);
  }
  return [...runs].filter(([, branches]) => branches.size > 1).map(([kit, branches]) => ({
    kit,
    branches: [...branches].map(([kit, people]) => ({ kit, people })),
  }));
}

/**
 * Appends to a ledger; nobody else can write to it meanwhile.
 *
 * @throws {LetheError} it is damaged or under another key; something is done or refused that is not
 *   open, or received twice
 */
export async function appendLedger(
  folder: string,
  entries: readonly Omit<LedgerEntry, "version" | "previous">[],
): Promise<void> {
  await Deno.mkdir(folder, { recursive: true });
  const path = ledgerPath(folder);
  using file = await Deno.open(path, { append: true, create: true });
  await file.lock(true);
  const before = await readLedger(folder);
  for (const { key } of entries) {
    const other = before.find((line) =>
      key !== undefined && line.key !== undefined && line.key !== key
    );
    if (other === undefined) continue;
    throw new LetheError(
      `${path} is kept under the identity key ${other.key}, and this key is ${key}`,
      "a ledger knows people by one key's hashes: under another the same person is somebody else",
      "name that key by --identity-key (inspect tells a kit's), or keep this kit's requests in another --dir",
    );
  }
  const open = new Set(ledgerStates(before).filter(isOpen).map(({ person }) => person));
  for (const { event, person } of entries) {
    if ((event === "received") !== open.has(person)) {
      if (event === "received") open.add(person);
      else open.delete(person);
      continue;
    }
    const known = `${person.slice(0, 16)}..`;
    throw new LetheError(
      event === "received"
        ? `the request of ${known} is open already`
        : `no request of ${known} is open`,
      "a request is received, then done or refused",
      "look at the ledger: deno task ledger --dir DIR",
    );
  }
  const tail = (await Deno.readTextFile(path)).split("\n").at(-2);
  let previous = tail === undefined ? null : sha256Hex(new TextEncoder().encode(tail));
  const lines = entries.map((entry) => {
    const text = JSON.stringify({ version: 1, previous, ...entry });
    previous = sha256Hex(new TextEncoder().encode(text));
    return text;
  });
  const bytes = new TextEncoder().encode(lines.map((text) => `${text}\n`).join(""));
  const size = (await file.stat()).size;
  for (let done = 0; done < bytes.length;) {
    try {
      done += await file.write(bytes.subarray(done));
    } catch (error) {
      await file.truncate(size); // of its own half lines, as on a full disk
      throw cannotWrite(path, error);
    }
  }
  await file.sync();
}

/** Every request by the last thing that was noted of it, in the order in which they came. */
export function ledgerStates(entries: readonly LedgerEntry[]): LedgerState[] {
  const states: LedgerState[] = [];
  for (const entry of entries) {
    const { person, time, due } = entry;
    if (entry.event === "received") states.push({ person, received: time, due, last: entry });
    else {
      const at = states.findLastIndex((state) => state.person === person);
      if (at >= 0) states[at] = { ...states[at], last: entry };
    }
  }
  return states;
}

/** Whether a request waits for its answer. */
export function isOpen({ last }: LedgerState): boolean {
  return last.event === "received";
}

/** Open requests whose time has run out. @param now ISO 8601, UTC */
export function lateRequests(states: readonly LedgerState[], now: string): LedgerState[] {
  return states.filter((state) => isOpen(state) && state.due !== null && state.due < now);
}
