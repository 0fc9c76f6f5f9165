import type { EvidenceText } from "../sandbox/contained_run.ts";
import type { LayerOutcome } from "../layers/layer.ts";
import { isWithin, withinAny } from "../sandbox/mounts.ts";

/** What the system may open for any Deno program: libraries, drivers, devices, facts on itself. */
const SYSTEM = [
  ...["/usr", "/lib", "/lib64", "/etc/ld.so.cache", "/etc/ld.so.preload", "/etc/vulkan"],
  ...["/proc", "/sys", "/dev", "/etc/localtime", "/etc/drirc", "/etc/glvnd", "/etc/nsswitch.conf"],
  ...["/etc/passwd", "/etc/ssl", "/etc/ca-certificates", "/etc/hosts", "/etc/resolv.conf"],
];

/**
 * What lies there and is nothing of the system's: files in memory, which could be anybody's data, whole disks,
 * and the memory of the machine or of another process.
 */
const ANYBODYS =
  /^\/dev\/(?:shm|mqueue|hugepages|k?mem|port|fuse|disk|mapper|block|dm-|(?:[shvx]+v?d[a-z]|nvme|mmcblk|loop|md|nbd|z?ram|sr)\d*)|^\/proc\/(?:kcore|vmcore|\d+\/(?:task\/\d+\/)?(?:mem|map_files)(?:\/|$))/;

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

/** Ways around opening a file oneself: another program, another process, a file system. */
const NEVER = new Set([
  ...["execve", "execveat", "ptrace", "process_vm_readv", "pidfd_getfd"],
  ...["mount", "open_tree", "move_mount", "io_uring_setup", "open_by_handle_at"],
]);

/** The C library asks nscd, where that runs, for the user's name. */
const NSCD = /sun_path="\/(?:var\/)?run\/nscd\/socket"/;

/**
 * Two paths of 4096 bytes, each of them in octal, and what stands between; a longer line is none
 * of strace's.
 */
const MAX_LINE = 2 ** 16;

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
  const [isKnown, isAllowed] = [[...SYSTEM, ...rules.allowed], rules.allowed].map(withinAny);
  const opened = new Set<string>();
  const wrong = new Set<string>();
  // A line that strace would not write, wherever it stands, could be anything's.
  for (const line of lines) {
    if (line.length <= MAX_LINE && !CALL.test(line) && !EVENT.test(line)) {
      wrong.add(`cannot be read: ${line.slice(0, 200)}`);
    }
  }
  const connecting = new Map<string, string>();
  for (const line of calls) {
    const call = line.length > MAX_LINE ? null : CALL.exec(line);
    const path = line.length > MAX_LINE ? UNREADABLE : openedPath(line, call?.[2]);
    if (path === UNREADABLE) wrong.add(`cannot be read: ${line.slice(0, 200)}`);
    else if (path !== null) {
      opened.add(path);
      const forbidden = rules.forbidden !== null && isWithin(path, rules.forbidden);
      if (forbidden || !isKnown(path) || !isAllowed(path) && ANYBODYS.test(path)) wrong.add(path);
    } else if (call !== null && passedBy(call[2], call[1], line, connecting)) {
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

/** A call's process and name, as a line of its own or resumed. */
const CALL = /^(?:(\d+) +)?(?:<\.\.\. )?(\w+)(?=\(| resumed)/;
/** A signal that came, or a process that ended. */
const EVENT = /^(?:\d+ +)?(?:--- .* ---|\+\+\+ .* \+\+\+)$/;
const OPENS = ["open", "openat", "openat2", "creat"];
const GAVE = /^\s+= (-?\d+|\?)(.*)$/;

/**
 * Whether a call went around opening files, or to the network, whether that answered or not; to a server on
 * this machine if it did.
 *
 * @param connecting processes whose call is told in two lines, and the first of these
 */
function passedBy(
  call: string,
  process: string | undefined,
  line: string,
  connecting: Map<string, string>,
): boolean {
  if (NEVER.has(call)) return /= \d/.test(line);
  if (call !== "connect") return false;
  if (line.includes("AF_INET")) return true;
  const whole = (connecting.get(process ?? "") ?? "") + line;
  connecting.delete(process ?? "");
  if (line.endsWith("<unfinished ...>")) connecting.set(process ?? "", line);
  return whole.includes("AF_UNIX") && /\) += 0/.test(whole) && !NSCD.test(whole);
}

/** What follows a call's arguments, in which parentheses stand within quotes and angle brackets only. */
function afterArguments(line: string): string | null {
  for (let i = 0; i < line.length; i++) {
    const letter = line[i];
    if (letter === '"') {
      while (++i < line.length && line[i] !== '"') if (line[i] === "\\") i++;
    } else if (letter === "<") {
      i = line.indexOf(">", i);
      if (i < 0) return null;
    } else if (letter === ")") return line.slice(i + 1);
  }
  return null;
}
/** A descriptor's path; `(deleted)`: the file has lost this name. */
const PATH = /^<((?:[^<>\\]|\\.)*?)>(?:\(deleted\))?$/;

const UNREADABLE = Symbol("a successful open that cannot be read");

/** The resolved path of a successful open, whole or resumed; null for a line of anything else. */
function openedPath(line: string, call?: string): string | null | typeof UNREADABLE {
  if (call === undefined || !OPENS.includes(call)) return null;
  if (line.endsWith("<unfinished ...>")) return null; // it is resumed, or never was
  const gave = GAVE.exec(afterArguments(line) ?? "");
  if (gave === null) return UNREADABLE;
  if (gave[1] === "?" || gave[1].startsWith("-")) return null;
  const path = PATH.exec(gave[2].trim());
  if (path === null) return UNREADABLE;
  const name = unescaped(path[1]).replace(/ \(deleted\)$/, "");
  return /^[/{]/.test(name) ? name : UNREADABLE;
}

/** strace writes bytes beyond ASCII and angle brackets in octal, together UTF-8, and others behind a `\`. */
function unescaped(text: string): string {
  return text.replace(/(?:\\[0-7]{1,3})+|\\[^0-7]/g, (escapes) => {
    if (!/[0-7]/.test(escapes[1])) return escapes[1];
    const bytes = escapes.slice(1).split("\\").map((octal) => parseInt(octal, 8));
    return new TextDecoder().decode(new Uint8Array(bytes));
  });
}
