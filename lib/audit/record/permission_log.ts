import { join } from "@std/path";
import { sha256Hex } from "../../files/sha256.ts";
import { LetheError } from "../../error.ts";
import type { EvidenceText } from "../sandbox/contained_run.ts";
import type { LayerOutcome } from "../layers/layer.ts";
import { withinAny } from "../sandbox/mounts.ts";
import { shell } from "../sandbox/shell.ts";

/** The launcher's end of the pipe that Deno logs its permission checks to. */
export interface PermissionLog {
  /** The pipe, for DENO_AUDIT_PERMISSIONS. */
  readonly path: string;
  /** Everything that was logged; call it once, when the worker has ended. */
  end(): Promise<EvidenceText>;
}

/**
 * Opens a named pipe and reads it from now on. A line that has gone into a pipe cannot be taken back,
 * where a log file could be truncated by whoever may write it.
 *
 * @param folder of the launcher's own
 */
export async function openPermissionLog(folder: string): Promise<PermissionLog> {
  const path = join(folder, "permissions");
  const { code, err } = await shell('mkfifo -m 600 "$1"', path);
  if (code !== 0) throw new LetheError(`${path}: ${err}`, "it is to be a pipe", "see mkfifo(1)");
  // Both ways: so opening waits for no writer, and the pipe outlives the worker's end of it.
  const pipe = await Deno.open(path, { read: true, write: true });
  // Of its own, as Deno does one thing at a time with an open file, and reading waits.
  const writer = await Deno.open(path, { write: true });
  const last = new TextEncoder().encode(`${crypto.randomUUID()}\n`);
  const reading = (async () => {
    let text = "";
    const decoder = new TextDecoder();
    const mark = new TextDecoder().decode(last);
    const buffer = new Uint8Array(2 ** 16);
    // Not at the end alone: a process that outlives the worker may write behind it.
    for (
      let end = -1;
      end < 0;
      end = text.indexOf(mark, text.length - buffer.length - mark.length)
    ) {
      const count = await pipe.read(buffer);
      text += decoder.decode(buffer.subarray(0, count!), { stream: true });
    }
    return text.slice(0, text.lastIndexOf(mark));
  })();
  return {
    path,
    async end() {
      await writer.write(last);
      const text = await reading;
      for (const end of [pipe, writer]) end.close();
      return { text, sha256: sha256Hex(new TextEncoder().encode(text)) };
    },
  };
}

/**
 * Holds the permissions that were asked for against what was granted. The log has the path as asked
 * and not the outcome, so whatever is outside counts against the worker, refused or not.
 */
export function judgePermissionLog(
  { text }: EvidenceText,
  granted: { readonly read: readonly string[]; readonly write: readonly string[] },
): LayerOutcome {
  const lines = text.split("\n").filter((line) => line !== "");
  const isGranted = { read: withinAny(granted.read), write: withinAny(granted.write) };
  const outside = lines.map(parseLine).filter(({ permission, value }) => {
    if (permission !== "read" && permission !== "write") return true;
    return value === null || /(^|[/\\])\.\.([/\\]|$)/.test(value) ||
      !isGranted[permission](value);
  });
  const shown = outside.slice(0, 5).map(({ permission, value }) => `${permission} ${value ?? ""}`);
  return {
    layer: "permission log",
    state: outside.length === 0 && lines.length > 0 ? "held" : "failed",
    detail: lines.length === 0
      ? "it is empty, and the worker has read something"
      : outside.length === 0
      ? `${lines.length} checks, all for the requests, the kit and the output`
      : `${outside.length} of ${lines.length} checks for something else: ${shown.join("; ")}`,
  };
}

/** What Deno writes of a check. */
const FIELDS = ["v", "datetime", "permission", "value"];

function parseLine(line: string): { permission: string; value: string | null } {
  try {
    const entry = JSON.parse(line);
    const { permission, value } = entry;
    // Neither other fields nor another spelling: something could lie in them.
    const whole = Object.keys(entry).every((name) => FIELDS.includes(name)) &&
      JSON.stringify(entry) === line;
    if (whole && typeof permission === "string") {
      return { permission, value: typeof value === "string" ? value : null };
    }
  } catch { /* told below */ }
  return { permission: "unreadable line", value: line };
}
