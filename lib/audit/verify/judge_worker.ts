import { TRACED_CALLS } from "../sandbox/containment.ts";
import type { Receipt } from "../receipt/receipt.ts";
import { withinAny } from "../sandbox/mounts.ts";
import { withoutDescriptors } from "../sandbox/shell.ts";

/** What a receipt's own record of the worker shows, judged again; each null where all is as it should be. */
export interface WorkerFindings {
  /** Why the command line is none that the launcher makes. */
  readonly argv: string | null;
  readonly permissions: string | null;
  readonly environment: string | null;
  /** The programs that stand around Deno. */
  readonly has: {
    readonly wrapper: boolean;
    readonly strace: boolean;
    readonly bubblewrap: boolean;
  };
}

/** Flags besides `--allow-read` and `--allow-write`; each of the first must be there. */
const REQUIRED = ["--no-prompt", "--cached-only", "--frozen", "--no-remote"];
const HARMLESS = [...REQUIRED, "--no-code-cache", "--quiet"];
/** What the worker of every run may read; and in receipts up to commit 4832d1b, the folder of requests. */
const READABLE = ["{run}/job.json", "{kit}", "{out}"];
const SUPPORT = "{support}";

/** What a run's worker was to read: its requests one by one, by their hashes. */
export function readablePlaces(
  { version, requests, requestTable }: Pick<Receipt, "version" | "requests" | "requestTable">,
): string[] {
  if (version === 1) return [...READABLE, SUPPORT];
  const named = requests.map(({ sha256 }) => `${SUPPORT}/${sha256.slice(0, 16)}`);
  return [...READABLE, ...named, ...requestTable === null ? [] : [`${SUPPORT}/requests.csv`]];
}

/**
 * Variables that the launcher sets, and to what; any other, `LD_PRELOAD` first of all, could bring
 * in code.
 */
const VARIABLES: Readonly<Record<string, RegExp>> = {
  DENO_DIR: /^\{packages\}$/,
  DENO_NO_UPDATE_CHECK: /^1$/,
  NO_COLOR: /^1$/,
  HOME: /^\{run\}$/,
  XDG_RUNTIME_DIR: /^\{run\}$/,
  MESA_SHADER_CACHE_DISABLE: /^true$/,
  __GL_SHADER_DISK_CACHE: /^0$/,
  // Of receipts up to commit 4832d1b.
  MESA_SHADER_CACHE_DIR: /^\{packages\}\/lethe-shaders$/,
  DENO_AUDIT_PERMISSIONS: /^\{run\}\/permissions$/,
  // Folders with drivers: none that the run read or wrote, or must not have.
  LD_LIBRARY_PATH:
    /^(?:(?:\{(?:above|working folder)\})?\/(?!\.\.\/|[^:]*\/\.\.(?:\/|:|$))[^:{}]*(?::(?!$)|$))+$/,
};

/** Whether the launcher sets a variable to this. */
function isSet(name: string, value: unknown): boolean {
  return Object.hasOwn(VARIABLES, name) && VARIABLES[name].test(String(value));
}

/** Places by their names in a receipt that may be within bubblewrap, and those of the system. */
const BOUND = [
  ...["{deno}", "{packages}", "{project}/lib", "{project}/deno.json", "{project}/deno.lock"],
  ...["{run}", "{kit}", "{out}"],
  ...["/usr/lib", "/usr/lib64", "/lib", "/lib64", "/etc/ld.so.cache", "/usr/share", "/etc/vulkan"],
  ...["/dev", "/sys/dev/char", "/sys/devices", "/sys/bus/pci", "/sys/class/drm"],
];
const WRITABLE = ["{out}", "{run}", "{packages}/lethe-shaders"];

/** The worker, and that of commit 4832d1b. */
const ENTRIES = ["sandbox/", ""].map((room) => `{project}/lib/audit/${room}unlearn_worker.ts`);

const isIn = (path: string, places: readonly string[]) => below(places)(path);

/** Whether a path is one of some places or lies in one; a receipt may list very many. */
function below(places: readonly string[]): (path: string) => boolean {
  const isBelow = withinAny(places);
  return (path) => !/(^|[/\\])\.\.([/\\]|$)/.test(path) && isBelow(path);
}

/** What of a receipt its worker is judged by. */
export type JudgedReceipt = Pick<Receipt, "version" | "worker" | "requests" | "requestTable">;

/** Judges the worker's command line, permissions and environment as the receipt has them. */
export function judgeWorker(receipt: JudgedReceipt): WorkerFindings {
  const { worker } = receipt;
  const readable = readablePlaces(receipt);
  const { argv, permissions, environment } = worker;
  const drivers = String(environment.LD_LIBRARY_PATH ?? "").split(":").filter((path) =>
    path !== ""
  );
  const line = parseArgv(argv, permissions, [...drivers, ...readable], drivers);
  const strange = Object.entries(environment).find(([name, value]) => !isSet(name, value));
  return {
    argv: line.wrong,
    permissions: judgePermissions(permissions, readable),
    environment: strange === undefined ? null : `it sets ${strange[0]} to ${strange[1]}`,
    has: line.has,
  };
}

/** @param readable what may be read @returns why Deno's flags grant more than the requests, the kit and the output; null if they do not */
export function judgePermissions(
  flags: readonly string[],
  readable: readonly string[],
): string | null {
  const missing = REQUIRED.find((flag) => !flags.includes(flag));
  if (missing !== undefined) return `${missing} is not among them`;
  let writes = 0;
  const due = new Set(readable);
  const granted = new Set<string>();
  for (const flag of flags) {
    const [name, value] = flag.split(/=(.*)/s);
    const paths = value?.split(",") ?? [];
    if (name === "--allow-read" && paths.length > 0) {
      const other = paths.find((path) => !due.has(path));
      if (other !== undefined) return `it may read ${other}`;
      for (const path of paths) granted.add(path);
    } else if (name === "--allow-write" && paths.length > 0) {
      writes++;
      const other = paths.find((path) => path !== "{out}");
      if (other !== undefined) return `it may write ${other}`;
    } else if (!HARMLESS.includes(flag)) return `${flag} is among them`;
  }
  const kept = readable.find((path) => !granted.has(path));
  if (kept !== undefined) return `it may not read ${kept}`;
  return writes === 1 ? null : "what it may write is not told";
}

/** Takes a command line apart, from the wrapper to the entry's argument. */
function parseArgv(
  argv: readonly string[],
  permissions: readonly string[],
  bound: readonly string[],
  drivers: readonly string[],
) {
  const words = [...argv];
  const has = { wrapper: false, strace: false, bubblewrap: false };
  const answer = (wrong: string | null) => ({ wrong, has });
  const wrapper = withoutDescriptors([]);
  if (wrapper.every((word, i) => words[i] === word)) {
    words.splice(0, wrapper.length);
    has.wrapper = true;
  }
  if (isProgram(words[0], "strace")) {
    has.strace = true;
    const wrong = takeStrace(words);
    if (wrong !== null) return answer(wrong);
  }
  if (isProgram(words[0], "bwrap")) {
    has.bubblewrap = true;
    const wrong = takeBubblewrap(words, bound);
    if (wrong !== null) return answer(wrong);
  }
  if (isProgram(words[0], "env") && words[1] === `LD_LIBRARY_PATH=${drivers.join(":")}`) {
    words.splice(0, 2);
  }
  const due = [
    ...["{deno}", "run", ...permissions],
    ...["--config", "{project}/deno.json", "--lock", "{project}/deno.lock"],
  ];
  const other = due.findIndex((word, i) => words[i] !== word);
  if (other >= 0) return answer(`${words[other] ?? "nothing"} stands where ${due[other]} should`);
  const [entry, job, ...more] = words.slice(due.length);
  if (!ENTRIES.includes(entry ?? "")) {
    return answer(`it runs ${entry ?? "nothing"}`);
  }
  if (job !== "{run}/job.json" || more.length > 0) return answer("the entry has other arguments");
  return answer(null);
}

const isProgram = (word: string | undefined, name: string) =>
  word !== undefined && (word === name || /^\/(?:usr\/)?(?:local\/)?s?bin\//.test(word)) &&
  word.split("/").at(-1) === name;

/** Takes strace's own words off. @returns what is wrong with them */
function takeStrace(words: string[]): string | null {
  words.shift();
  let calls: string[] = [];
  const given = new Set<string>();
  for (let word; (word = words[0])?.startsWith("-");) {
    words.shift();
    if (given.size === given.add(word).size) return `strace is given ${word} twice`;
    if (word === "-e") calls = (words.shift() ?? "").replace(/^trace=/, "").split(",");
    else if (word === "-o") {
      if (!isIn(words.shift() ?? "", ["{run}"])) return "strace writes elsewhere";
    } else if (!/^(-f|-qq|-y|-yy|--seccomp-bpf)$/.test(word)) return `strace is given ${word}`;
  }
  const missing = TRACED_CALLS.find((call) =>
    !calls.some((each) => each.replace("?", "") === call)
  );
  return missing === undefined ? null : `strace does not look at ${missing}`;
}

/** Takes bubblewrap's own words off. @param bound besides {@link BOUND} @returns what is wrong with them */
function takeBubblewrap(words: string[], bound: readonly string[]): string | null {
  const alone = new Set<string>();
  const [mayMount, mayWrite] = [below([...BOUND, ...bound]), below(WRITABLE)];
  // Read in place: taking words off the front would move all others, each time.
  let at = 1;
  const next = () => words[at++];
  for (let word; (word = next()) !== "--";) {
    if (word === undefined) return "bubblewrap runs nothing";
    if (/^--(unshare-all|clearenv|new-session|die-with-parent)$/.test(word)) alone.add(word);
    else if (word === "--proc" || word === "--dev" || word === "--tmpfs") {
      if (!/^\/(proc|dev|tmp)$/.test(next() ?? "")) return `bubblewrap is given ${word}`;
    } else if (word === "--symlink") {
      const [target, path] = [next() ?? "", next() ?? ""];
      if (!/^(?:\/?usr\/)?lib(?:32|64)?$/.test(target) || !/^\/lib(?:32|64)?$/.test(path)) {
        return `bubblewrap links ${path} to ${target}`;
      }
    } else if (word === "--chdir") {
      if (!isIn(next() ?? "", BOUND)) return "bubblewrap starts elsewhere";
    } else if (word === "--setenv") {
      const [name, value] = [next() ?? "", next()];
      if (!isSet(name, value)) return `bubblewrap sets ${name} to ${value}`;
    } else if (/^--(ro-|dev-)?bind(-try)?$/.test(word)) {
      const [source, target] = [next() ?? "", next()];
      const isPlace = word.startsWith("--bind") ? mayWrite : mayMount;
      if (source !== target || !isPlace(source) || isIn(source, ["{training data}"])) {
        return `bubblewrap mounts ${source} at ${target}`;
      }
    } else return `bubblewrap is given ${word}`;
  }
  words.splice(0, at);
  const missing = ["--unshare-all", "--clearenv"].find((word) => !alone.has(word));
  return missing === undefined ? null : `bubblewrap is not given ${missing}`;
}
