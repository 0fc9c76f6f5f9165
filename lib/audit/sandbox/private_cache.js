// Plain JavaScript, without a fetched package: what starts before anything has been checked must itself
// come from no cache. TypeScript would be run as the copy that DENO_DIR/gen keeps of it.
import { createHash } from "node:crypto";

/** Deno notes in a package's own folder that it has warned of an install script. */
const NOTE = /^\.scripts-warned-\d+$/;

/** How the names of private caches begin. */
export const CACHE_PREFIX = "lethe-cache-";

/** Hashes of all packages that worker and launcher load; `make_package_list.ts` in the tests writes it. */
const LIST = new URL("./packages.json", import.meta.url);
const LOCK = new URL("../../../deno.lock", import.meta.url);

/**
 * What is known of one package by the tarball that deno.lock names.
 *
 * @typedef {object} KnownPackage
 * @property {readonly string[]} loads the files of it that worker and launcher can come to load; most of
 *   a package (the same code in other forms, source maps, types) is none of them
 * @property {string} loaded SHA-256 over `path sha256` of these, a line each, sorted
 * @property {string} others SHA-256 over `path bytes` of all other files
 */

/** @returns {Record<string, KnownPackage>} packages by `name@version` */
export function knownPackages() {
  return JSON.parse(Deno.readTextFileSync(LIST));
}

/** @returns {string[]} every package of deno.lock as `name@version` */
export function lockedPackages() {
  const { npm } = JSON.parse(Deno.readTextFileSync(LOCK));
  // A key goes on with the peers that a package was resolved with: `a@1.0.0_b@2.0.0`.
  return [...new Set(Object.keys(npm).map((key) => /^(@?[^@]+@[^_]+)/.exec(key)?.[1] ?? key))]
    .sort();
}

/**
 * Hashes a package's files.
 *
 * @param {Iterable<readonly [path: string, bytes: Uint8Array | number]>} files the content of those
 *   that are loaded, the size of others
 */
export function hashPackageFiles(files) {
  const loaded = [];
  const others = [];
  for (const [path, content] of files) {
    if (typeof content === "number") others.push(`${path} ${content}\n`);
    else loaded.push(`${path} ${sha256(content)}\n`);
  }
  return { loaded: sha256(loaded.sort().join("")), others: sha256(others.sort().join("")) };
}

/** @param {Uint8Array | string} content */
function sha256(content) {
  return createHash("sha256").update(content).digest("hex");
}

/**
 * A private DENO_DIR: of each locked package that worker or launcher use exactly the files that they
 * load, once their content is what deno.lock stands for; of the others an empty folder, so that Deno
 * fetches none. No emitted code, no V8 cache, no storage: where these would lie is a file.
 *
 * @param {string} denoDir the user's
 * @param {Record<string, KnownPackage>} known
 * @param {readonly string[]} locked
 * @returns {{ folder: string, missing: string[], changed: string[] }} where a package is missing or is
 *   not the locked one, there is no folder
 */
export function openPrivateCache(denoDir, known = knownPackages(), locked = lockedPackages()) {
  sweepPrivateCaches(denoDir);
  const folder = makeFolder(denoDir);
  holdPrivateCache(folder);
  const [missing, changed] = [[], []];
  try {
    const registries = [...list(`${denoDir}/npm`)].map(({ name }) => `${denoDir}/npm/${name}`);
    const root = `${folder}/npm/registry.npmjs.org`;
    for (const name of locked) {
      const [, title, version] = /^(.+)@([^@]+)$/.exec(name);
      const place = `${title}/${version}`;
      Deno.mkdirSync(`${root}/${place}`, { recursive: true });
      if (!known[name]?.loads.length) continue;
      const from = registries.map((registry) => `${registry}/${place}`).find(isFolder);
      if (from === undefined) missing.push(name);
      else if (!linkPackage(from, `${root}/${place}`, known[name])) changed.push(from);
    }
    Deno.writeTextFileSync(`${folder}/location_data`, "");
  } catch (error) {
    Deno.removeSync(folder, { recursive: true });
    throw error;
  }
  if (missing.length + changed.length > 0) Deno.removeSync(folder, { recursive: true });
  return { folder, missing, changed };
}

/** A file of a private cache that every process which lives in it holds a lock of. */
const HELD = "held";

/**
 * Keeps a private cache from being swept until this process has ended, however that comes about.
 *
 * @param {string} folder
 */
export function holdPrivateCache(folder) {
  const options = { read: true, write: true, create: true };
  Deno.openSync(`${folder}/${HELD}`, options).lockSync(false);
}

/** How often a removal is tried where somebody who is just ending still writes, and for how long it waits. */
const ATTEMPTS = 20;
const PAUSE = 25;

/**
 * Removes a private cache at its maker's end. What still writes there is about to end, so it is tried again
 * for half a second; the file that tells that nobody holds the cache goes last: what stays all the same, the
 * next run sweeps.
 *
 * @param {string} folder
 * @param {(path: string) => void} remove
 */
export function removePrivateCache(folder, remove = removeTree) {
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    try {
      for (const { name } of [...list(folder)]) if (name !== HELD) remove(`${folder}/${name}`);
      remove(folder);
      return;
    } catch {
      if (!isFolder(folder)) return;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, PAUSE);
    }
  }
}

/** @param {string} path */
function removeTree(path) {
  Deno.removeSync(path, { recursive: true });
}

/**
 * Removes the private caches of processes that were killed: those that nobody holds. One with packages and
 * no lock is an earlier version's; it goes after a day.
 *
 * @param {string} denoDir
 * @param {number} now milliseconds
 */
export function sweepPrivateCaches(denoDir, now = Date.now()) {
  for (const { name, isDirectory } of [...list(denoDir)]) {
    if (!isDirectory || !name.startsWith(CACHE_PREFIX)) continue;
    try {
      const folder = `${denoDir}/${name}`;
      if (isAbandoned(folder, now)) Deno.removeSync(folder, { recursive: true });
    } catch { /* another process was quicker, or it is another user's */ }
  }
}

const MINUTE = 60_000;
const DAY = 24 * 60 * MINUTE;

/** @param {string} folder @param {number} now */
function isAbandoned(folder, now) {
  const age = now - (Deno.lstatSync(folder).mtime?.getTime() ?? now);
  if (age < MINUTE) return false; // it may be just being made
  let held;
  try {
    held = Deno.openSync(`${folder}/${HELD}`, { read: true, write: true });
  } catch {
    return age > DAY || !isFolder(`${folder}/npm`);
  }
  try {
    return held.tryLockSync(true);
  } finally {
    held.close();
  }
}

/**
 * Beside the packages, on whose file system they need no copying; or in the temporary folder.
 *
 * @param {string} denoDir
 */
function makeFolder(denoDir) {
  const prefix = CACHE_PREFIX;
  try {
    return Deno.makeTempDirSync({ dir: denoDir, prefix });
  } catch {
    return Deno.realPathSync(Deno.makeTempDirSync({ prefix }));
  }
}

/** @param {string} folder */
function* list(folder) {
  try {
    yield* Deno.readDirSync(folder);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}

/** @param {string} path */
function isFolder(path) {
  try {
    return Deno.lstatSync(path).isDirectory;
  } catch {
    return false;
  }
}

/**
 * Gives the files that are loaded of a package a second name, or copies them, and checks what these names
 * now hold; of the others it checks that they are there, with their sizes, and that there are no more.
 *
 * @param {string} from
 * @param {string} to an empty folder
 * @param {KnownPackage} known
 */
function linkPackage(from, to, known) {
  const files = [];
  const loads = new Set(known.loads);
  const folders = new Set(known.loads.map((path) => path.slice(0, path.lastIndexOf("/") + 1)));
  for (const folder of folders) Deno.mkdirSync(`${to}/${folder}`, { recursive: true });
  /** @param {string} below */
  const walk = (below) => {
    for (const { name, isDirectory, isFile } of Deno.readDirSync(`${from}/${below}`)) {
      const path = below + name;
      const [here, there] = [`${from}/${path}`, `${to}/${path}`];
      if (isDirectory) walk(`${path}/`);
      else if (isFile && loads.has(path)) {
        link(here, there);
        files.push([path, Deno.readFileSync(there)]);
      } else {
        const { size } = Deno.lstatSync(here);
        if (below === "" && size === 0 && NOTE.test(name)) continue;
        files.push([isFile ? path : `${path} is no file`, size]);
      }
    }
  };
  walk("");
  const found = hashPackageFiles(files);
  return found.loaded === known.loaded && found.others === known.others;
}

/**
 * @param {string} from
 * @param {string} to
 */
function link(from, to) {
  try {
    Deno.linkSync(from, to);
  } catch {
    Deno.copyFileSync(from, to);
  }
}
