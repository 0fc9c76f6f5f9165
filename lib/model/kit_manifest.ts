import { LetheError } from "../error.ts";
import { META_LOSS_INPUTS, type MetaLossInput } from "./meta_loss.ts";

/** `kit.json`: what a kit holds, where it comes from and how it is used. */
export interface KitManifest {
  readonly version: 1;
  /** 0 as meta-learned; one more after each request. */
  readonly generation: number;
  /** SHA-256 of the kit.json that this kit was made from by a request; null as meta-learned. */
  readonly parent: string | null;
  readonly files: readonly KitFile[];
  readonly unlearning: KitUnlearning;
  /** Sizes of the meta-loss (Table 8b). */
  readonly metaLoss: { readonly hidden: number; readonly embeddingSize: number };
  /** Keyed hash of each person that the kit can forget; the position is the embedding row. */
  readonly identities: readonly string[];
  /** Keyed hashes of the people that earlier requests forgot. */
  readonly forgotten: readonly string[];
  /** How phi was learned: every hyperparameter, the seed, the adapter. For the record only. */
  readonly record: Readonly<Record<string, unknown>>;
}

/** A file of the kit. */
export interface KitFile {
  readonly file: string;
  readonly sha256: string;
  /** What it was computed from, in words. */
  readonly derivedFrom: string;
}

/** How a kit unlearns. */
export interface KitUnlearning {
  /** eta. */
  readonly metaLearningRate: number;
  /** N_S: people per step. */
  readonly requestSize: number;
  /** The meta-loss's inputs (Table 6). */
  readonly inputs: readonly MetaLossInput[];
  readonly stepSizes: "global" | "learned";
}

const HASH = /^[0-9a-f]{64}$/;
/** Plain names only: a kit's files lie in the kit. */
const FILE_NAME = /^[a-z0-9_]+\.(json|safetensors)$/;

/**
 * Reads `kit.json` as hostile input.
 *
 * @param file its name, for errors
 * @throws LetheError the field that is wrong
 */
export function parseKitManifest(text: string, file: string): KitManifest {
  const check = (right: boolean, what: string) => {
    if (right) return;
    throw new LetheError(
      `${file}: ${what}`,
      "a kit is used as it was written",
      "use an intact kit",
    );
  };
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch {
    check(false, "it is not JSON");
  }
  check(isObject(parsed), "it is not an object");
  const kit = parsed as Record<string, unknown>;
  check(kit.version === 1, `version is ${JSON.stringify(kit.version)}, not 1`);
  check(isCount(kit.generation), "generation is not a whole number");
  check(kit.parent === null || isHash(kit.parent), "parent is not a SHA-256 or null");
  check(Array.isArray(kit.files) && kit.files.every(isKitFile), "files is not a list of files");
  const names = (kit.files as KitFile[]).map((entry) => entry.file);
  check(new Set(names).size === names.length, "files names a file twice");
  check(isUnlearning(kit.unlearning), "unlearning lacks a setting or has a wrong one");
  const { metaLoss } = kit;
  check(
    isObject(metaLoss) && isCount(metaLoss.hidden) && isCount(metaLoss.embeddingSize),
    "metaLoss lacks its sizes",
  );
  for (const list of ["identities", "forgotten"]) {
    const hashes = kit[list];
    check(
      Array.isArray(hashes) && hashes.every(isHash) && new Set(hashes).size === hashes.length,
      `${list} is not a list of different hashes`,
    );
  }
  check(isObject(kit.record), "record is not an object");
  return kit as unknown as KitManifest;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isHash(value: unknown): boolean {
  return typeof value === "string" && HASH.test(value);
}

function isCount(value: unknown): boolean {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

function isKitFile(value: unknown): boolean {
  return isObject(value) && typeof value.file === "string" && FILE_NAME.test(value.file) &&
    isHash(value.sha256) && typeof value.derivedFrom === "string";
}

function isUnlearning(value: unknown): boolean {
  if (!isObject(value)) return false;
  const { metaLearningRate, requestSize, inputs, stepSizes } = value;
  return Number.isFinite(metaLearningRate) && (metaLearningRate as number) > 0 &&
    isCount(requestSize) && (requestSize as number) > 0 &&
    Array.isArray(inputs) && inputs.length > 0 && new Set(inputs).size === inputs.length &&
    inputs.every((input) => (META_LOSS_INPUTS as readonly unknown[]).includes(input)) &&
    (stepSizes === "global" || stepSizes === "learned");
}
