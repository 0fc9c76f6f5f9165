// Plain JavaScript: the stub that starts launchers needs it, see private_cache.js.

/** Variables by which the dynamic linker loads code into a program, or finds it elsewhere. */
const LINKER = /^\s*(?:LD|DYLD)_/i;
/** Variables by which Deno runs other code, or code otherwise. */
const RUNTIME = /^(?:DENO_V8_FLAGS|NODE_OPTIONS|DENO_PREPEND|NODE_PATH)$/;

/**
 * Variables by which a shell runs other code than its script: functions that take a program's name, and files
 * that are read before. Where `/bin/sh` is bash, it takes these.
 */
const SHELLS = /^(?:BASH_FUNC_.*|BASH_ENV|ENV|SHELLOPTS|BASHOPTS|PS4)$/s;

/** Options of NODE_OPTIONS that load code before a program begins. */
const LOADS_CODE = /(?:^|[\s"'])(?:-r|--(?:require|import|(?:experimental-)?loader))(?=[\s="']|$)/;

/**
 * An order in this process's environment to run other code first, which nothing of a run would show; null for
 * none, or where that cannot be known.
 *
 * @returns {Promise<string | null>}
 */
export async function codeLoadedFirst() {
  const options = (await launcherEnvironment())?.get("NODE_OPTIONS") ?? "";
  return LOADS_CODE.test(options)
    ? `NODE_OPTIONS is ${JSON.stringify(options.slice(0, 200))}`
    : null;
}

/** Whether a variable is an order to the dynamic linker. @param {string} name */
export function ordersLinker(name) {
  return LINKER.test(name);
}

/**
 * What of a child's environment `Deno.Command` takes.
 *
 * @typedef {{ clearEnv?: true, env: Record<string, string> }} ChildEnvironment
 */

/**
 * The linker's best known orders, set to nothing where the others cannot be known.
 *
 * @type {ChildEnvironment}
 */
const SILENCED = {
  env: Object.fromEntries(
    ["LD_LIBRARY_PATH", "LD_PRELOAD", "LD_AUDIT", "LD_DEBUG", "LD_BIND_NOW", "LD_RUN_PATH"]
      .concat(["DYLD_LIBRARY_PATH", "DYLD_INSERT_LIBRARIES", "DYLD_FRAMEWORK_PATH"])
      .map((name) => [name, ""]),
  ),
};

/** Where the stub leaves the user's LD_LIBRARY_PATH for the launcher, which is started without it. */
export const USERS_LIBRARY_PATH = "LETHE_USERS_LIBRARY_PATH";

/** @type {Promise<ReadonlyMap<string, string> | null> | undefined} */
let known;

/**
 * This process's own environment, which it has no permission to read; null where only Linux tells.
 *
 * @returns {Promise<ReadonlyMap<string, string> | null>}
 */
export function launcherEnvironment() {
  return known ??= Deno.build.os === "linux" ? readParents() : Promise.resolve(null);
}

/**
 * This process's environment for the programs that it runs, without orders to linker, shell or Deno: Deno starts
 * no program with one of these unless it may run every program, and none of them is the worker's.
 *
 * @returns {Promise<ChildEnvironment>}
 */
export async function withoutLinkerOrders() {
  const environment = await launcherEnvironment();
  if (environment === null) return SILENCED;
  const kept = [...environment].filter(([name]) =>
    !ordersLinker(name) && !RUNTIME.test(name) && !SHELLS.test(name)
  );
  return { clearEnv: true, env: Object.fromEntries(kept) };
}

/**
 * A child with an empty environment reads that of its parent.
 *
 * @returns {Promise<Map<string, string> | null>}
 */
async function readParents() {
  const { success, stdout } = await new Deno.Command("/bin/sh", {
    args: ["-c", "exec cat /proc/$PPID/environ"],
    clearEnv: true,
    env: { PATH: "/usr/bin:/bin:/run/current-system/sw/bin" },
    stdin: "null",
    stderr: "null",
  }).output();
  return success ? parseEnvironment(stdout) : null;
}

/**
 * Reads `NAME=value` entries that a zero byte ends; those that are not UTF-8 are left out.
 *
 * @param {Uint8Array} bytes
 * @returns {Map<string, string>}
 */
export function parseEnvironment(bytes) {
  const environment = new Map();
  for (let start = 0; start < bytes.length;) {
    const zero = bytes.indexOf(0, start);
    const end = zero < 0 ? bytes.length : zero;
    const entry = utf8(bytes.subarray(start, end));
    const sign = entry?.indexOf("=") ?? -1;
    if (entry !== null && sign > 0) environment.set(entry.slice(0, sign), entry.slice(sign + 1));
    start = end + 1;
  }
  return environment;
}

/** @param {Uint8Array} bytes @returns {string | null} */
function utf8(bytes) {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return null;
  }
}
