import { basename } from "@std/path";
import type { PathKind } from "../../lib/files/path_kind.ts";
import { shellWord } from "../../lib/files/shell_word.ts";

/** What an option's path may be. */
export interface InputKind {
  /** For sentences: `--model names a model folder`. */
  readonly a: string;
  /** What is taken, of what {@link pathKind} tells apart; null: anything. What it cannot tell passes. */
  readonly kinds: readonly PathKind[] | null;
  readonly shape?: "file" | "folder";
  /**
   * Names of which a folder of the kind holds one at least, a damaged one too, and what is said of a folder
   * without any.
   */
  readonly signs?: readonly [RegExp, string];
  /** It need not be there: what is not is made. */
  readonly made?: true;
  /** What to do where there is none. @param path what was named; null: something else lies there */
  readonly make?: (path: string | null) => string;
}

/** A folder is for something where anything lies in it; a system's own notes count for nothing. */
const SOMETHING: readonly [RegExp, string] = [/^[^.]/, "is empty"];

/** The kinds of input that options name, by what `takes` calls them. */
const KINDS = {
  model: {
    a: "a model folder",
    kinds: ["model"],
    shape: "folder",
    signs: [
      /^(?:config\.json|model\.safetensors)$/,
      "holds neither config.json nor model.safetensors",
    ],
  },
  weights: {
    a: "a model folder, or a ViT's weights",
    kinds: ["model", "weights"],
    signs: [/\.(?:safetensors|json)$/, "holds no .safetensors"],
  },
  kit: {
    a: "a kit, which meta-learn writes",
    kinds: ["kit"],
    shape: "folder",
    signs: [/^kit\.json$|\.safetensors$/, "holds no kit.json"],
    make: (path) =>
      path === null
        ? "make one with `deno task meta-learn`"
        : `name it with --kit, or make it with deno task meta-learn --out ${
          shellWord(basename(path))
        }`,
  },
  split: {
    a: "a split",
    kinds: ["split"],
    shape: "file",
    make: () => "make one with `deno task split`",
  },
  data: {
    ...{ a: "a data set's folder", kinds: ["requests", "ledger"], shape: "folder" },
    signs: SOMETHING,
  },
  requests: {
    ...{ a: "a folder of requests", kinds: ["requests", "ledger"], shape: "folder" },
    signs: SOMETHING,
  },
  images: {
    ...{ a: "a folder of images", kinds: ["requests", "ledger"], shape: "folder" },
    signs: SOMETHING,
  },
  receipt: { a: "a receipt.json or a pack", kinds: ["receipt", "pack"], shape: "file" },
  "receipt in a chain": {
    a: "receipts of a model, a kit and requests",
    kinds: ["receipt of a model or kit", "receipt"],
    shape: "file",
  },
  grid: {
    a: "a benchmark's folder or its results.json",
    kinds: ["benchmark grid", "benchmark results"],
    make: () =>
      "make one with `deno task benchmark`; of one model `deno task evaluate` prints the figures",
  },
  plan: {
    a: "a plan of a grid",
    kinds: [],
    shape: "file",
    make: () => "make it again with `deno task benchmark --plan FILE`",
  },
  results: { a: "a benchmark's results.json", kinds: ["benchmark results"], shape: "file" },
  "fold models": {
    ...{ a: "a folder of fold models (KIT.folds)", kinds: ["fold models"], shape: "folder" },
    signs: SOMETHING,
  },
  "fold models to go on with": {
    ...{ a: "where fold models lie or are made", kinds: ["fold models"], shape: "folder" },
    made: true,
  },
  updates: {
    ...{ a: "a folder of stored updates (MODEL.updates)", kinds: ["stored updates"] },
    ...{ shape: "folder", signs: SOMETHING },
  },
  photograph: { a: "a person's photograph", kinds: ["picture"], shape: "file" },
  "grid settings": { a: "the settings of a grid, as JSON", kinds: [], shape: "file" },
  "signing key": {
    a: "a key to sign with",
    kinds: [],
    shape: "file",
    make: () => "make one with `deno task audit --new-key FILE`",
  },
  "public key": { a: "a signer's public key (.pub)", kinds: [], shape: "file" },
  "identity key": {
    a: "the key that meta-learn wrote beside a kit",
    kinds: ["identity key"],
    shape: "file",
  },
  anything: { a: "what to look at", kinds: null, signs: SOMETHING },
  "golden numbers": {
    a: "a folder of golden numbers",
    kinds: null,
    shape: "folder",
    signs: [/expected\.safetensors$/, "holds no golden numbers"],
  },
  packages: { a: "a folder of npm's tarballs", kinds: null, shape: "folder", signs: SOMETHING },
  cache: { a: "a folder for decoded images", kinds: [], shape: "folder", made: true },
  "ledger's folder": {
    a: "the folder in which ledger.jsonl lies",
    kinds: ["ledger", "requests"],
    shape: "folder",
    made: true,
  },
  file: { a: "a file", kinds: null, shape: "file" },
} as const satisfies Record<string, InputKind>;

/** A kind of input. */
export type Input = keyof typeof KINDS;

/** What each is. */
export const INPUTS: Readonly<Record<Input, InputKind>> = KINDS;
