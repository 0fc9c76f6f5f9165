import { basename, dirname, join } from "@std/path";

/** What Lethe makes or takes, as far as names and a file's first bytes tell. */
export type PathKind =
  | "kit"
  | "output folder"
  | "model"
  | "fold models"
  | "stored updates"
  | "benchmark grid"
  | "ledger"
  | "requests"
  | "split"
  | "split index"
  | "receipt"
  | "receipt of a model or kit"
  | "sigstore bundle"
  | "pack"
  | "benchmark results"
  | "weights"
  | "identity key"
  | "page"
  | "picture";

/** Folders by what lies in them; the first that fits. */
const FOLDERS: readonly (readonly [PathKind, readonly string[]])[] = [
  ["kit", ["kit.json"]],
  ["kit", ["meta_loss.safetensors", "model.safetensors"]], // a damaged one is no model
  ["output folder", ["summary.json", "model", "kit"]],
  ["fold models", ["folds.json"]],
  ["stored updates", ["updates.json"]],
  ["model", ["config.json", "model.safetensors"]],
  ["ledger", ["ledger.jsonl"]],
  ["benchmark grid", ["stages", "claims"]],
  ["benchmark grid", ["stages", "lock"]],
  ["requests", ["requests.csv"]],
];

/** Files by their name. */
const NAMES: readonly (readonly [PathKind, RegExp])[] = [
  ["pack", /\.tar$/],
  ["split index", /\.json\.index$/],
  ["identity key", /\.identity-key$/],
  ["weights", /\.safetensors$/],
  ["page", /\.html?$/i],
  ["picture", /\.(?:jpe?g|png|webp|heic|avif)$/i],
  ["benchmark results", /^results(?:-.+)?\.json$/],
];

/** Files that lie in such folders and are nothing by themselves. */
const PARTS: Partial<Record<PathKind, RegExp>> = {
  "kit": /^(?:kit\.json|config\.json|memory\.json|training_images\.txt|.+\.safetensors)$/,
  "output folder": /^summary\.json$/,
  "fold models": /^folds\.json$/,
  "stored updates": /^updates\.json$/,
  "model": /^(?:(?:config|history|unlearning)\.json|model\.safetensors)$/,
  "requests": /^requests\.csv$/,
  "ledger": /^ledger\.jsonl$/,
};

/** JSON files by how Lethe begins them. */
const HEADS: readonly (readonly [PathKind, RegExp])[] = [
  ["split", /^\{\s*"version":\s*\d+,\s*"dataset":\s*\{/],
  ["receipt", /^\{\s*"version":\s*\d+,\s*"lethe":/],
  ["receipt of a model or kit", /^\{\s*"version":\s*"making /],
  ["sigstore bundle", /^\{\s*"mediaType":\s*"application\/vnd\.dev\.sigstore\.bundle/],
];
const HEAD_BYTES = 256;

/**
 * What a path is, from the names in a folder or a file's name and first bytes: quick, of any size, and
 * believed only where another kind of thing was wanted. Nothing is checked.
 *
 * @returns null for what is not there, cannot be read, or is nothing of Lethe's by these signs
 */
export async function pathKind(path: string): Promise<PathKind | null> {
  const info = await Deno.stat(path).catch(() => null);
  if (info?.isDirectory) return await folderKind(path);
  if (!info?.isFile) return null; // opening a pipe would wait
  const named = NAMES.find(([, name]) => name.test(basename(path)));
  if (named !== undefined) return named[0];
  if (!path.endsWith(".json")) return null;
  const head = await headOf(path);
  return HEADS.find(([, begins]) => begins.test(head))?.[0] ?? null;
}

/** The kind of folder that a file is a part of, by its name and what lies beside it; null for any other. */
export async function partOf(path: string): Promise<PathKind | null> {
  const info = await Deno.stat(path).catch(() => null);
  const kind = info?.isFile ? await folderKind(dirname(path)) : null;
  return kind !== null && PARTS[kind]?.test(basename(path)) ? kind : null;
}

async function folderKind(folder: string): Promise<PathKind | null> {
  for (const [kind, names] of FOLDERS) {
    const found = await Promise.all(
      names.map((name) => Deno.lstat(join(folder, name)).then(() => true, () => false)),
    );
    if (found.every(Boolean)) return kind;
  }
  return null;
}

/** How a text file begins; nothing where it cannot be read. */
export async function headOf(path: string, most = HEAD_BYTES): Promise<string> {
  try {
    using file = await Deno.open(path, { read: true });
    const bytes = new Uint8Array(most);
    return new TextDecoder().decode(bytes.subarray(0, await file.read(bytes) ?? 0));
  } catch {
    return "";
  }
}

/** A kind of thing with its article, for sentences. */
export function aKind(kind: PathKind): string {
  switch (kind) {
    case "output folder":
      return "an output folder of unlearn";
    case "requests":
      return "a folder of requests";
    case "benchmark grid":
    case "fold models":
    case "stored updates":
      return `a folder of ${kind === "benchmark grid" ? "a benchmark" : kind}`;
    case "identity key":
      return "an identity key";
    case "split index":
      return "a split's index";
    case "benchmark results":
    case "weights":
      return `a file of ${kind}`;
    default:
      return `a ${kind}`;
  }
}
