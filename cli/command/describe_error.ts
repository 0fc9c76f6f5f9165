import { LetheError } from "../../lib/error.ts";
import { isNoRoom, roomRemedy } from "../../lib/files/no_room.ts";

/** What the operating system or Deno refuses, the rule and the remedy. */
const REFUSALS: readonly [(error: Error) => boolean, string, string][] = [
  [
    (error) => error instanceof Deno.errors.NotFound,
    "the command needs it",
    "check the path",
  ],
  [
    (error) => error instanceof Deno.errors.NotCapable,
    "the task's permissions in deno.json do not cover it",
    "choose a path that they cover",
  ],
  [
    (error) => error instanceof Deno.errors.PermissionDenied,
    "the system keeps it from this user",
    "mend its rights or choose another path",
  ],
  [
    (error) => /too many open files/i.test(error.message),
    "the system lets a process hold so many open at a time and no more",
    "allow more, e.g. by `ulimit -n 1024`, or end what else has files open",
  ],
  [isNoRoom, "outputs need room", roomRemedy()],
];

/**
 * An error as one line and an exit code: a LetheError's own; a missing file, a missing right or a full
 * disk with a remedy; `unexpected: ..` for everything else.
 */
export function describeError(error: unknown): { line: string; exitCode: number } {
  if (error instanceof LetheError) {
    return { line: oneLine(error.message), exitCode: error.exitCode };
  }
  if (!(error instanceof Error)) {
    return { line: `unexpected: ${oneLine(String(error))}`, exitCode: 1 };
  }
  const refusal = REFUSALS.find(([matches]) => matches(error));
  // Deno's own words, less its advice to widen the permissions and the error's number.
  const what = oneLine(error.message).replace(/, run again with .*/, "")
    .replace(/ \(os error \d+\)/, "");
  const line = refusal ? `${what}; ${refusal[1]}: ${refusal[2]}` : `unexpected: ${what}`;
  return { line, exitCode: 1 };
}

function oneLine(text: string): string {
  return text.trim().replaceAll(/\s*[\r\n]\s*/g, " ");
}
