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
  /** What to do where there is none. */
  readonly make?: (path: string) => string;
}

/** The kinds of input that options name, by what `takes` calls them. */
const KINDS = {
  model: { a: "a model folder", kinds: ["model"], shape: "folder" },
  weights: { a: "a model folder, or a ViT's weights", kinds: ["model", "weights"] },
  kit: {
    a: "a kit, which meta-learn writes",
    kinds: ["kit"],
    shape: "folder",
    make: (path) =>
      `name it with --kit, or make it with deno task meta-learn --out ${shellWord(basename(path))}`,
  },
  split: {
    a: "a split",
    kinds: ["split"],
    shape: "file",
    make: () => "make one with `deno task split`",
  },
  data: { a: "a data set's folder", kinds: ["requests", "ledger"], shape: "folder" },
  requests: { a: "a folder of requests", kinds: ["requests", "ledger"], shape: "folder" },
  images: { a: "a folder of images", kinds: ["requests", "ledger"], shape: "folder" },
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
  "fold models": { a: "a folder of fold models (KIT.folds)", kinds: ["fold models"] },
  updates: { a: "a folder of stored updates (MODEL.updates)", kinds: ["stored updates"] },
  photograph: { a: "a person's photograph", kinds: ["picture"], shape: "file" },
  "grid settings": { a: "the settings of a grid, as JSON", kinds: [], shape: "file" },
  "signing key": {
    a: "a key to sign with",
    kinds: [],
    shape: "file",
    make: () => "make one with `deno task audit --new-key FILE`",
  },
  "public key": { a: "a signer's public key (.pub)", kinds: [], shape: "file" },
  "identity key": { a: "the key that meta-learn wrote beside a kit", kinds: [], shape: "file" },
  anything: { a: "what to look at", kinds: null },
  folder: { a: "a folder", kinds: null, shape: "folder" },
  file: { a: "a file", kinds: null, shape: "file" },
} as const satisfies Record<string, InputKind>;

/** A kind of input. */
export type Input = keyof typeof KINDS;

/** What each is. */
export const INPUTS: Readonly<Record<Input, InputKind>> = KINDS;
