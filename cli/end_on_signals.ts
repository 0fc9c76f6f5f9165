import { fstatSync } from "node:fs";
import { finished, isFinishing } from "../lib/files/finish_before_exit.ts";

/** Signals that end a command, with the exit codes that shells know them by; Windows has one only. */
const SIGNALS: readonly [Deno.Signal, number][] = Deno.build.os === "windows"
  ? [["SIGINT", 130]]
  : [["SIGINT", 130], ["SIGTERM", 143], ["SIGHUP", 129]];

/** The device number of /dev/null on Linux. */
const NULL_DEVICE = 0x103;

/**
 * Ends the process on Ctrl-C, when it is asked to end and when its terminal goes: at once, but for
 * files that are just being finished; at the second signal these are given up as well.
 *
 * @param note tells the user; what it throws, as where the terminal is gone, is let go
 */
export function endOnSignals(note: (line: string) => void): void {
  let asked = false;
  for (const [signal, exitCode] of SIGNALS) {
    if (signal === "SIGHUP" && hangUpsIgnored()) {
      // Deno itself ends on it, whatever it was started with, unless somebody listens.
      Deno.addSignalListener(signal, () => {});
      continue;
    }
    Deno.addSignalListener(signal, async () => {
      // Deno.exit, unlike a signal's own end, lets `unload` remove what is half made.
      if (asked) Deno.exit(exitCode);
      asked = true;
      try {
        note(isFinishing() ? "lethe: interrupted, finishing a file" : "lethe: interrupted");
      } catch {
        // Nobody is left to be told.
      }
      await finished();
      Deno.exit(exitCode);
    });
  }
}

/**
 * Whether the command runs under `nohup`, which must stay so. Deno cannot ask how a signal is handled,
 * but GNU's nohup leaves a mark: standard input is /dev/null, opened for writing only.
 */
function hangUpsIgnored(): boolean {
  if (Deno.build.os !== "linux") return false;
  try {
    const input = fstatSync(0);
    if (!input.isCharacterDevice() || input.rdev !== NULL_DEVICE) return false;
  } catch {
    return false; // standard input is closed
  }
  try {
    Deno.stdin.readSync(new Uint8Array(1)); // of /dev/null: its end, at once
    return false;
  } catch {
    return true;
  }
}
