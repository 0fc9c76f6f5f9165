import { hangUpsIgnored } from "../lib/files/hang_ups.js";
import { interrupted } from "../lib/files/interruption.ts";
import { finished, isFinishing } from "../lib/files/finish_before_exit.ts";

/** Signals that end a command, with the exit codes that shells know them by; Windows has one only. */
const SIGNALS: readonly [Deno.Signal, number][] = Deno.build.os === "windows"
  ? [["SIGINT", 130]]
  : [["SIGINT", 130], ["SIGQUIT", 131], ["SIGTERM", 143], ["SIGHUP", 129]];

/**
 * Ends the process on Ctrl-C, when it is asked to end and when its terminal goes: at once, but for
 * files that are just being finished; at the second signal these are given up as well.
 *
 * @param note tells the user; what it throws, as where the terminal is gone, is let go
 */
export function endOnSignals(note: (line: string) => void): void {
  for (const [signal, exitCode] of SIGNALS) {
    if (signal === "SIGHUP" && hangUpsIgnored()) {
      // Deno itself ends on it, whatever it was started with, unless somebody listens.
      Deno.addSignalListener(signal, () => {});
      continue;
    }
    Deno.addSignalListener(signal, () => void endOnce(note, exitCode));
  }
}

let asked = false;

/** Whether the process is about to end by a signal. */
export function isEnding(): boolean {
  return asked;
}

/** What a signal does. */
export async function endOnce(note: (line: string) => void, exitCode: number): Promise<void> {
  // Deno.exit, unlike a signal's own end, lets `unload` remove what is half made.
  if (asked) Deno.exit(exitCode);
  asked = true;
  try {
    note(isFinishing() ? "lethe: interrupted, finishing a file" : "lethe: interrupted");
  } catch {
    // Nobody is left to be told.
  }
  await finished();
  await interrupted();
  Deno.exit(exitCode);
}
