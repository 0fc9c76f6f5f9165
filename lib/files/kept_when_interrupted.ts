import { resultIsOut } from "./finish_before_exit.ts";

/** What this process is making, and what of it stays if it is interrupted. */
export interface Making {
  /** The output; null for a run that leaves none. */
  readonly out: string | null;
  /** Files, and folders that count once something whole lies in them. */
  readonly keeps: readonly string[];
}

const making = new Set<Making>();

/**
 * Notes what an interrupted run would leave, for {@link keptLines}, until it is disposed of.
 *
 * @param out the output, which appears whole or not at all; null where none is made
 * @param keeps paths from which the same command goes on: states, folders of parts that are made
 */
export function whileMaking(out: string | null, keeps: readonly string[] = []): Disposable {
  const own = { out, keeps };
  making.add(own);
  return {
    [Symbol.dispose]() {
      making.delete(own);
      if (out !== null && lies(out)) madeOne = true;
    },
  };
}

let madeOne = false;
let begun = false;

/** The command's own work begins: until then nothing can have been made, whatever it is to make. */
export function workBegins(): void {
  begun = true;
}

/**
 * Whether all that this process makes is there: then a signal comes too late, and the command ends as it
 * would have without.
 */
export function isAllMade(): boolean {
  if (resultIsOut()) return true;
  return making.size === 0 ? madeOne : [...making].every(({ out }) => out !== null && lies(out));
}

/** What is being made now: what is interrupted, before its errors have undone it. */
export function beingMade(): readonly Making[] {
  return [...making];
}

const NOTHING = "nothing is kept: the same command begins anew";

/**
 * What an interrupted process leaves, for its last words; none where it has begun and was making nothing.
 * It looks at once, without the event loop: a process that computes ends without it.
 *
 * @param all what it was making when the signal came
 */
export function keptLines(all: readonly Making[] = beingMade()): string[] {
  if (all.length === 0) return begun ? [] : [NOTHING];
  const outs = [...new Set(all.flatMap(({ out }) => out ?? []))];
  const made = outs.filter((out) => lies(out));
  const kept = [...new Set(all.flatMap(({ keeps }) => keeps))].filter(lies);
  if (outs.length > 0 && made.length === outs.length) return [`${outs.join(" and ")}: made`];
  return kept.length === 0
    ? [NOTHING]
    : [`kept: ${kept.join(", ")}; the same command goes on from there`];
}

/** Whether a file lies there, or a folder with something whole in it. */
function lies(path: string): boolean {
  try {
    if (!Deno.lstatSync(path).isDirectory) return true;
    return [...Deno.readDirSync(path)].some(({ name }) => !name.endsWith(".part"));
  } catch {
    return false;
  }
}
