import { dirname, join, normalize } from "node:path/posix";

/** A package's files by their paths within it. */
export type Package = ReadonlyMap<string, Uint8Array>;

/** What an import may name in the code of packages: a literal, in each of the ways that they use. */
const IMPORTS =
  /\brequire\(\s*["']([^"'\n]+)["']\s*\)|(?:\bfrom|\bimport|\bimport\()\s*["']([^"'\n]+)["']/g;

/** By which a package's `exports` are read: for what requires, and for what imports. */
const CONDITIONS = {
  require: ["deno", "node", "require", "default"],
  import: ["deno", "node", "import", "default"],
} as const;

/**
 * The files of packages that a program can come to load: those that its imports name, what these name in
 * turn, and each `package.json` by which Deno finds them. More than what is loaded may be among them (a
 * text may only look like an import), never less, as long as packages name what they load by literals.
 *
 * @param packages by title: `long`, `@tensorflow/tfjs`
 * @param imports as import maps have them: `@tensorflow/tfjs@4.22.0`, `deno-std@1.4.0/path/mod.js`
 * @returns sorted paths by title; packages of which nothing is loaded are absent
 */
export function loadedFiles(
  packages: ReadonlyMap<string, Package>,
  imports: readonly string[],
): Map<string, string[]> {
  const found = new Map<string, Set<string>>();
  const queue: [title: string, path: string][] = [];
  const add = (title: string, path: string | null) => {
    if (path === null) return;
    const files = found.get(title) ?? new Set();
    found.set(title, files);
    if (files.has(path)) return;
    files.add(path);
    queue.push([title, path]);
  };
  const follow = (specifier: string, conditions: readonly string[]) => {
    const [, title = "", below = ""] =
      /^((?:@[^/]+\/)?[^/@]+)(?:@[^/]+)?(\/.*)?$/.exec(specifier) ?? [];
    const files = packages.get(title);
    if (files) add(title, entryOf(files, below, conditions));
  };
  for (const specifier of imports) {
    for (const conditions of Object.values(CONDITIONS)) follow(specifier, conditions);
  }
  for (const [title, path] of queue) {
    const files = packages.get(title)!;
    for (let folder = dirname(path);; folder = dirname(folder)) {
      const manifest = join(folder, "package.json");
      if (files.has(manifest)) add(title, manifest);
      if (folder === ".") break;
    }
    if (!/\.[cm]?js$/.test(path)) continue;
    for (const [, required, imported] of textOf(files, path).matchAll(IMPORTS)) {
      const name = required ?? imported;
      if (name.startsWith(".")) add(title, fileOf(files, join(dirname(path), name)));
      else follow(name, required === undefined ? CONDITIONS.import : CONDITIONS.require);
    }
  }
  return new Map([...found].map(([title, files]) => [title, [...files].sort()]));
}

const textOf = (files: Package, path: string) => new TextDecoder().decode(files.get(path));

interface Manifest {
  readonly main?: string;
  readonly exports?: unknown;
}

/** The file that a package's name, with what may follow it, stands for. */
function entryOf(files: Package, below: string, conditions: readonly string[]): string | null {
  if (!files.has("package.json")) return null;
  const { main = "index.js", exports }: Manifest = JSON.parse(textOf(files, "package.json"));
  const named = exportOf(exports, below === "" ? "." : `.${below}`, conditions);
  return fileOf(files, normalize(named ?? (below === "" ? main : below.slice(1))));
}

function exportOf(exports: unknown, key: string, conditions: readonly string[]): string | null {
  if (typeof exports !== "object" || exports === null || Array.isArray(exports)) {
    return key === "." ? chosen(exports, conditions) : null;
  }
  const byPath = Object.keys(exports).some((name) => name.startsWith("."));
  if (byPath) return chosen((exports as Record<string, unknown>)[key], conditions);
  return key === "." ? chosen(exports, conditions) : null;
}

/** The first of nested conditions that holds. */
function chosen(value: unknown, conditions: readonly string[]): string | null {
  if (typeof value === "string") return value;
  for (const [name, each] of Object.entries(value ?? {})) {
    if (!Array.isArray(value) && !conditions.includes(name)) continue;
    const path = chosen(each, conditions);
    if (path !== null) return path;
  }
  return null;
}

/** What a path without its ending means to `require`. */
function fileOf(files: Package, path: string): string | null {
  const endings = ["", ".js", ".json", ".cjs", ".mjs", "/index.js"];
  const ending = endings.find((ending) => files.has(path + ending));
  return ending === undefined ? null : path + ending;
}
