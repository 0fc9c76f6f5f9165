// Plain JavaScript without a fetched package, see private_cache.js.
import { hangUpsIgnored } from "../../files/hang_ups.js";
import {
  codeLoadedFirst,
  launcherEnvironment,
  USERS_LIBRARY_PATH,
  withoutLinkerOrders,
} from "./launcher_environment.js";
import { openPrivateCache, removePrivateCache } from "./private_cache.js";

const PROJECT = new URL("../../../", import.meta.url);

/** The first argument of a launcher that {@link start} has started; the private DENO_DIR follows it. */
export const STARTED = "--in-private-cache=";

/**
 * What is handed on to the launcher, which ends as it would have ended alone; and the exit codes where it has
 * not been started yet.
 *
 * @type {readonly [Deno.Signal, number][]}
 */
const SIGNALS = Deno.build.os === "windows"
  ? []
  : [["SIGINT", 130], ["SIGTERM", 143], ["SIGHUP", 129], ["SIGQUIT", 131]];

/**
 * Runs a task's launcher in a DENO_DIR of its own, with the packages that deno.lock stands for and
 * nothing else: neither launcher, worker nor verifier runs what an earlier run, or somebody else, left
 * in the user's caches. The launcher ends when this process does, however that comes about: its
 * standard input is a pipe that this process holds.
 *
 * @param {string} entry the launcher, below the project: `tasks/unlearn.ts`
 * @param {readonly string[]} args
 * @returns {Promise<number>} the exit code
 */
export async function start(entry, args) {
  /** @type {Deno.ChildProcess | null} */
  let child = null;
  const underNohup = hangUpsIgnored();
  for (const [signal, exitCode] of SIGNALS) {
    Deno.addSignalListener(signal, () => {
      if (signal === "SIGHUP" && underNohup) return;
      if (child === null) {
        tellInterrupted();
        Deno.exit(exitCode);
      }
      try {
        child.kill(signal);
      } catch { /* it has ended */ }
    });
  }
  const path = (await launcherEnvironment())?.get("LD_LIBRARY_PATH");
  const { env, ...rest } = await withoutLinkerOrders();
  const environment = { ...rest, env: { ...env, ...path ? { [USERS_LIBRARY_PATH]: path } : {} } };
  const cache = await privateCache(entry, environment);
  if (typeof cache !== "string") {
    console.error(`lethe: ${cache.value}: ${cache.rule}; ${cache.remedy}`);
    return cache.exitCode;
  }
  removeAtEnd(cache);
  const permissions = [
    "--quiet",
    "--no-prompt",
    "--allow-read",
    "--allow-write",
    "--allow-run=/bin/sh",
  ];
  // As in deno.json: what reads and hashes many files leaves much for the collector.
  const heap = "--v8-flags=--max-semi-space-size=1,--heap-growing-percent=25";
  child = become(
    ["run", heap, ...permissions, "--cached-only", "--no-remote", "--frozen", ...settings()]
      .concat(file(entry), `${STARTED}${cache}`, ...args),
    { ...environment, env: { ...environment.env, ...inCache(cache) } },
    // In a session of its own: a terminal's signals reach it by this process alone, and once.
    { stdin: "piped", stdout: "inherit", stderr: "inherit", detached: true },
  ).spawn();
  const { code, signal } = await child.status;
  // It ended before it heeded signals itself, so it has said nothing.
  if (SIGNALS.some(([name]) => name === signal)) tellInterrupted();
  return code;
}

function tellInterrupted() {
  try {
    console.error("lethe: interrupted\nlethe: nothing is kept: the same command begins anew");
  } catch { /* nobody is left to be told */ }
}

/**
 * The variables that make a Deno program live in a private DENO_DIR.
 *
 * @param {string} cache
 */
export function inCache(cache) {
  return { DENO_DIR: cache, NPM_CONFIG_REGISTRY: "https://registry.npmjs.org" };
}

/** @param {string} cache */
function removeAtEnd(cache) {
  globalThis.addEventListener("unload", () => removePrivateCache(cache));
}

/**
 * A private DENO_DIR for an entry and the contained worker, from the packages of the user's.
 *
 * @param {string} entry below the project
 * @param {{ clearEnv?: true, env: Record<string, string> }} environment the user's
 * @returns {Promise<string | { value: string, rule: string, remedy: string, exitCode: 1 | 3 }>}
 */
export async function privateCache(entry, environment) {
  const first = await codeLoadedFirst();
  if (first !== null) {
    return {
      value: first,
      rule: "Deno runs that before Lethe, and no receipt could show it",
      remedy: "unset it, or use `deno task`, which does",
      exitCode: 1,
    };
  }
  const quiet = { stdin: "null", stdout: "piped", stderr: "inherit" };
  const info = await become(["info", "--json"], environment, quiet).output();
  const denoDir = JSON.parse(new TextDecoder().decode(info.stdout)).denoDir;
  let cache = openPrivateCache(denoDir);
  if (cache.missing.length > 0) {
    // The first time: Deno holds every tarball against deno.lock.
    const fetching = ["cache", "--frozen", "--quiet", ...settings(), file(entry), file(WORKER)];
    if ((await become(fetching, environment, quiet).output()).code === 0) {
      cache = openPrivateCache(denoDir);
    }
  }
  const { folder, missing, changed } = cache;
  if (missing.length + changed.length === 0) return folder;
  return changed.length > 0
    ? {
      value: `${changed.join(", ")} is not the package that deno.lock names`,
      rule: "what runs is what was published, to the last file",
      remedy: "remove the folder, and it is fetched anew",
      exitCode: 3,
    }
    : {
      value: `${missing.join(", ")} could not be fetched`,
      rule: "the worker runs with the packages that deno.lock names",
      remedy: "connect to the network for the first run",
      exitCode: 1,
    };
}

const WORKER = "lib/audit/sandbox/unlearn_worker.ts";

function settings() {
  return ["--config", file("deno.json"), "--lock", file("deno.lock")];
}

/** @param {string} path below the project */
function file(path) {
  return decodeURIComponent(new URL(path, PROJECT).pathname);
}

/**
 * Deno, by way of the one program that the task may run.
 *
 * @param {string[]} args
 * @param {object} environment
 * @param {object} streams
 */
function become(args, environment, streams) {
  const deno = Deno.execPath();
  return Deno.build.os === "windows"
    ? new Deno.Command(deno, { args, ...environment, ...streams })
    : new Deno.Command("/bin/sh", {
      args: ["-c", 'exec "$@"', "sh", deno, ...args],
      ...environment,
      ...streams,
    });
}
