import { hangUpsIgnored } from "../../lib/files/hang_ups.js";
import { giveUp, hasDuties, interrupted } from "../../lib/files/interruption.ts";
import { finished, isFinishing } from "../../lib/files/finish_before_exit.ts";
import {
  beingMade,
  isAllMade,
  keptLines,
  type Making,
} from "../../lib/files/kept_when_interrupted.ts";
import { lookWhileComputing } from "../../lib/files/signal_look.ts";
import { signalThread } from "../../lib/threads/signal_thread.ts";

/** Signals that end a command, with the exit codes that shells know them by; Windows has one only. */
const SIGNALS: readonly [Deno.Signal, number][] = Deno.build.os === "windows"
  ? [["SIGINT", 130]]
  : [["SIGINT", 130], ["SIGQUIT", 131], ["SIGTERM", 143], ["SIGHUP", 129]];

/**
 * Ends the process on Ctrl-C, when it is asked to end and when its terminal goes: at once, but for
 * files that are just being finished; at the second signal these are given up as well. A signal that
 * comes when all is made is too late: the command tells of it and ends as it would have without.
 *
 * @param note tells the user; what it throws, as where the terminal is gone, is let go
 */
export function endOnSignals(note: (line: string) => void): void {
  const ending = new Map(SIGNALS);
  if (ending.has("SIGHUP") && hangUpsIgnored()) {
    ending.delete("SIGHUP");
    // Deno itself ends on it, whatever it was started with, unless somebody listens.
    Deno.addSignalListener("SIGHUP", () => {});
  }
  for (const [signal, exitCode] of ending) {
    Deno.addSignalListener(signal, () => void endOnce(note, exitCode));
  }
  lookWhileComputing(async () => {
    const come = await signalThread([...ending.keys()]);
    return () => {
      const signal = come();
      // What needs the event loop gets it: files are being finished, or somebody else is told.
      if (signal === null || isFinishing() || hasDuties() || isAllMade()) return;
      if (!asked) tell(note);
      tellKept(note);
      Deno.exit(ending.get(signal));
    };
  });
}

let asked = false;
let tooLate = false;
let keptTold = false;
const decided = Promise.withResolvers<void>();

/** Whether the process is about to end by a signal. */
export function isEnding(): boolean {
  return asked && !tooLate;
}

/** Waits until a signal that has come was too late; for ever where it was not. */
export async function unlessEnding(): Promise<void> {
  if (asked) await decided.promise;
}

/** What a signal does. */
export async function endOnce(note: (line: string) => void, exitCode: number): Promise<void> {
  // Deno.exit, unlike a signal's own end, lets `unload` remove what is half made.
  if (asked) {
    tellKept(note);
    Deno.exit(exitCode);
  }
  asked = true;
  const made = beingMade(); // what ends with errors meanwhile is no longer told of
  const isBusy = isFinishing();
  if (isBusy) tell(note);
  await finished();
  if (isAllMade()) {
    tooLate = true;
    return decided.resolve();
  }
  giveUp();
  if (!isBusy) tell(note);
  await interrupted();
  tellKept(note, made);
  Deno.exit(exitCode);
}

function tell(note: (line: string) => void): void {
  try {
    note(isFinishing() ? "lethe: interrupted, finishing a file" : "lethe: interrupted");
  } catch {
    // Nobody is left to be told.
  }
}

/** The last line: what of the run stays, and whether the same command goes on from it. */
function tellKept(note: (line: string) => void, made?: readonly Making[]): void {
  if (keptTold) return;
  keptTold = true;
  try {
    for (const line of keptLines(made)) note(`lethe: ${line}`);
  } catch {
    // Nobody is left to be told.
  }
}
