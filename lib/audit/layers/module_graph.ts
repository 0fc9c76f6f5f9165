import { fromFileUrl, join, relative } from "@std/path";
import { LetheError } from "../../error.ts";
import { parseJsonObject } from "../../files/json_fields.ts";
import type { HashedFile, HashedPackage } from "../sandbox/contained_run.ts";
import { hashFile, hashPackage } from "../record/hash_files.ts";
import type { LayerOutcome } from "./layer.ts";
import { launcherCache } from "../sandbox/launcher_cache.ts";
import { isWithin } from "../sandbox/mounts.ts";
import { knownPackages } from "../sandbox/private_cache.js";
import { say } from "../sandbox/shell.ts";
import { inCache } from "../sandbox/start.js";

/** Where this copy of Lethe lies: deno.json and deno.lock are there, code is in `lib/`. */
export const PROJECT = withoutLinks(fromFileUrl(new URL("../../../", import.meta.url)));

function withoutLinks(folder: string): string {
  try {
    return Deno.realPathSync(folder).replace(/[/\\]+$/, "");
  } catch {
    return folder; // a program that may not read can import this, and no more
  }
}

/** What an entry can load without asking for a permission. */
export interface ModuleGraph {
  /** The project's modules, absolute. */
  readonly modules: readonly string[];
  /** Fetched packages of which anything is loaded, and where they lie. */
  readonly packages: readonly { readonly name: string; readonly folder: string }[];
  /** The private DENO_DIR. */
  readonly denoDir: string;
  /** Modules that lie neither in the project nor in a package. */
  readonly strangers: readonly string[];
  readonly outcome: LayerOutcome;
}

/**
 * Lists all that an entry imports by static and literal imports. Those need no permission and leave
 * no line in the permission log, so they are held against the rule here: the project's own modules
 * and packages of its lock file, nothing else. Imports of a computed path, which no list could
 * name, are refused.
 *
 * @throws LetheError a package cannot be fetched, or is not the locked one
 */
export async function readModuleGraph(entry: string): Promise<ModuleGraph> {
  const settings = ["--config", join(PROJECT, "deno.json"), "--lock", join(PROJECT, "deno.lock")];
  const denoDir = await launcherCache();
  const graph = await deno(denoDir, "info", "--json", "--frozen", ...settings, entry);
  const info = parseJsonObject(graph, "deno info", "run it by hand to see why");
  const wrong: string[] = [];
  const strangers: string[] = [];
  const modules: string[] = [];
  const direct: string[] = [];
  for (const module of loadedModules(info as unknown as Graph)) {
    if (module.error) wrong.push(`${module.specifier}: ${module.error}`);
    else if (module.kind === "node") continue;
    else if (module.npmPackage) direct.push(module.npmPackage);
    else if (module.specifier.startsWith("file:")) {
      const path = fromFileUrl(module.specifier);
      modules.push(path);
      if (!isWithin(path, PROJECT)) strangers.push(path);
      if (!isWithin(path, join(PROJECT, "lib"))) wrong.push(path);
      else wrong.push(...await computedImports(path));
    } else {
      wrong.push(module.specifier);
      strangers.push(module.specifier.slice(0, 100));
    }
  }
  const locked = withDependencies(direct, info.npmPackages as Record<string, GraphPackage>);
  const known = knownPackages();
  for (const { name } of locked) {
    if (!(name in known)) {
      wrong.push(`${name}, which lib/audit/sandbox/packages.json does not have`);
    }
  }
  // Of the others no file is there.
  const packages = locked.filter(({ name }) => known[name]?.loads.length);
  return {
    modules: modules.sort(),
    packages,
    ...{ denoDir, strangers },
    outcome: {
      layer: "module graph",
      state: wrong.length === 0 ? "held" : "failed",
      detail: wrong.length === 0
        ? `${modules.length} modules of the project, ${packages.length} locked packages, no other import`
        : `imported from elsewhere: ${wrong.join(", ")}`,
    },
  };
}

/** What `deno info --json` says of an entry. */
interface Graph {
  readonly roots: readonly string[];
  readonly modules: readonly GraphModule[];
  readonly redirects: Readonly<Record<string, string>>;
}

interface GraphModule {
  readonly kind?: string;
  readonly specifier: string;
  readonly npmPackage?: string;
  readonly error?: string;
  /** Imports of types alone have no `code`. */
  readonly dependencies?: readonly { readonly code?: { readonly specifier?: string } }[];
}

interface GraphPackage {
  readonly name: string;
  readonly version: string;
  readonly dependencies: readonly string[];
  readonly localPath: string;
}

/** The modules that running the entry can load: those of types alone are left out. */
function loadedModules({ roots, modules, redirects }: Graph): GraphModule[] {
  const known = new Map(modules.map((module) => [module.specifier, module]));
  const found = new Set(roots);
  for (const specifier of found) {
    for (const { code } of known.get(specifier)?.dependencies ?? []) {
      if (code?.specifier) found.add(redirects[code.specifier] ?? code.specifier);
    }
  }
  return [...found].map((specifier) =>
    known.get(specifier) ?? { specifier, error: "Deno does not know it" }
  );
}

async function deno(denoDir: string, ...args: string[]): Promise<string> {
  const { code, out, err } = await say([Deno.execPath(), ...args], inCache(denoDir));
  if (code === 0) return out;
  throw new LetheError(
    `deno ${args[0]} ended with ${code} (${err.split("\n").at(-1)})`,
    "the worker runs with the packages that deno.lock names, fetched before any input is opened",
    "undo the change to deno.json or deno.lock",
  );
}

function withDependencies(
  direct: readonly string[],
  all: Readonly<Record<string, GraphPackage>>,
): { name: string; folder: string }[] {
  const found = new Map<string, string>();
  const queue = [...direct];
  const seen = new Set(queue);
  for (const key of queue) {
    const { name, version, localPath, dependencies } = all[key];
    found.set(`${name}@${version}`, localPath);
    for (const next of dependencies.filter((next) => !seen.has(next))) {
      seen.add(next);
      queue.push(next);
    }
  }
  return [...found].map(([name, folder]) => ({ name, folder }))
    .sort((a, b) => a.name < b.name ? -1 : 1);
}

/** `import(` and `new Worker(` of anything but a literal, in a module's text less its comments. */
export async function computedImports(path: string): Promise<string[]> {
  const code = (await Deno.readTextFile(path))
    .replaceAll(/\/\*[\s\S]*?\*\//g, "").replaceAll(/(^|\s)\/\/.*$/gm, "$1");
  const computed = [
    ...code.matchAll(
      /\bimport\s*\((?!\s*(["'])[^"'\n]*\1\s*[,)])[^)\n]*|\bnew\s+Worker\s*\([^)\n]*/g,
    ),
  ];
  return computed.map(([text]) => `${relative(PROJECT, path)}: ${text})`);
}

/** Hashes of the project's modules, relative to the project; one is open at a time, as systems allow few. */
export async function hashModules({ modules }: ModuleGraph): Promise<HashedFile[]> {
  const hashes: HashedFile[] = [];
  for (const path of modules) hashes.push(await hashFile(path, relative(PROJECT, path)));
  return hashes;
}

/** Hashes of the fetched packages. */
export function hashPackages({ packages }: ModuleGraph): HashedPackage[] {
  return packages.map(({ name, folder }) => ({ name, sha256: hashPackage(folder) }));
}
