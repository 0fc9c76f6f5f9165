import type { EvidenceText } from "../sandbox/contained_run.ts";
import type { LayerOutcome } from "../layers/layer.ts";
import { isWithin } from "../sandbox/mounts.ts";

/** What the system may open for any Deno program: libraries, drivers, devices, facts on itself. */
const SYSTEM = [
  ...["/usr", "/lib", "/lib64", "/etc/ld.so.cache", "/etc/ld.so.preload", "/etc/vulkan"],
  ...["/proc", "/sys", "/dev", "/etc/localtime", "/etc/drirc", "/etc/glvnd", "/etc/nsswitch.conf"],
  ...["/etc/passwd", "/etc/ssl", "/etc/ca-certificates", "/etc/hosts", "/etc/resolv.conf"],
];

/** What a worker's system calls are held against; absolute paths without links. */
export interface TraceRules {
  /** The Deno binary, the one program to be executed. */
  readonly deno: string;
  /** Files and folders that may be opened besides the system's. */
  readonly allowed: readonly string[];
  /** A folder nothing of which may be opened, whatever is allowed. */
  readonly forbidden: string | null;
}

/**
 * What of a copy of Lethe the worker opens; data may lie in the same folder, so not all of it.
 *
 * @param modules those that it loads; a receipt, whose list of them is checked apart, has all of `lib`
 */
export function projectFiles(
  project: string,
  modules: readonly string[] = [`${project}/lib`],
): string[] {
  return [...new Set([`${project}/deno.json`, `${project}/deno.lock`, ...modules])];
}

/** Ways around opening a file oneself: another program, another process, a file system, a server. */
const NEVER = [
  /\b(execve|execveat|ptrace|process_vm_readv|pidfd_getfd)\b.*= \d/,
  /\b(mount|open_tree|move_mount|io_uring_setup|open_by_handle_at)\b.*= \d/,
  // The network, whether it answers or not; a server on this machine if it does. The C library asks
  // nscd, where that runs, for the user's name.
  /\bconnect\(.*AF_INET/,
  /\bconnect\((?!.*nscd).*AF_UNIX.*= 0/,
];

/**
 * Holds a trace of system calls, made by `strace -f -y`, against an allow-list. Opened files count by
 * the path that the kernel resolved, links followed; calls that failed reached nothing.
 */
export function judgeTrace({ text }: EvidenceText, rules: TraceRules): LayerOutcome {
  const lines = text.split("\n").filter((line) => line !== "");
  // What comes before is the wrapper's and bubblewrap's doing.
  const start = lines.findIndex((line) => line.includes(`execve("${rules.deno}"`));
  const calls = lines.slice(start + 1);
  // The worker's own start may be told in two lines, with other processes' calls between.
  if (lines[start]?.endsWith("<unfinished ...>")) {
    const resumed = `${lines[start].split(" ", 1)[0]} <... execve resumed>`;
    const end = calls.findIndex((line) => line.startsWith(resumed));
    if (end >= 0) calls.splice(end, 1);
  }
  const opened = new Set<string>();
  const wrong = new Set<string>();
  for (const line of calls) {
    const path = openedPath(line);
    if (path === UNREADABLE) wrong.add(`cannot be read: ${line.slice(0, 200)}`);
    else if (path !== null) {
      opened.add(path);
      const known = [...SYSTEM, ...rules.allowed].some((place) => isWithin(path, place));
      const forbidden = rules.forbidden !== null && isWithin(path, rules.forbidden);
      if (forbidden || !known) wrong.add(path);
    } else if (NEVER.some((call) => call.test(line))) {
      wrong.add(line.replace(/^\d+ +/, "").slice(0, 80));
    }
  }
  const complete = start >= 0 && opened.size > 0;
  return {
    layer: "system calls",
    state: complete && wrong.size === 0 ? "held" : "failed",
    detail: !complete
      ? "the trace does not show the worker at work"
      : wrong.size === 0
      ? `${opened.size} files opened, each one of code, packages, drivers, requests, kit or output`
      : `outside the allow-list: ${[...wrong].slice(0, 5).join("; ")}`,
  };
}

/** A call that opens, as a line of its own or resumed. */
const OPENS = /^(?:\d+ +)?(?:<\.\.\. )?(?:open|openat|openat2|creat)(?=\(| resumed)/;
/** Its arguments, in which parentheses stand within quotes and angle brackets only, and what it gave. */
const GAVE =
  /^[^("<]*(?:<\.\.\. \w+ resumed>)?(?:"(?:\\.|[^"\\])*"|<[^>]*>|[^"<)])*\)\s+= (-?\d+|\?)(.*)$/;
/** A descriptor's path; `(deleted)`: the file has lost this name. */
const PATH = /^<((?:[^<>\\]|\\.)*?)>(?:\(deleted\))?$/;

const UNREADABLE = Symbol("a successful open that cannot be read");

/** The resolved path of a successful open, whole or resumed; null for a line of anything else. */
function openedPath(line: string): string | null | typeof UNREADABLE {
  if (!OPENS.test(line)) return null;
  if (line.endsWith("<unfinished ...>")) return null; // it is resumed, or never was
  const gave = GAVE.exec(line);
  if (gave === null) return UNREADABLE;
  if (gave[1] === "?" || gave[1].startsWith("-")) return null;
  const path = PATH.exec(gave[2].trim());
  if (path === null) return UNREADABLE;
  const name = unescaped(path[1]).replace(/ \(deleted\)$/, "");
  return /^[/{]/.test(name) ? name : UNREADABLE;
}

/** strace writes bytes beyond ASCII in octal; together they are UTF-8. */
function unescaped(text: string): string {
  return text.replace(/(\\[0-7]{1,3})+/g, (escapes) => {
    const bytes = escapes.slice(1).split("\\").map((octal) => parseInt(octal, 8));
    return new TextDecoder().decode(new Uint8Array(bytes));
  });
}
