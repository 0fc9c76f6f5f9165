import { MEMORY_FOLDER, MEMORY_INDEX, parseMemoryIndex, rowFile } from "./memory_index.ts";

/**
 * A file of a kit. README.md of lib/model tells how a new one is declared: a line in {@link KIT_PARTS}
 * is all that reader, writer, launcher and verification need.
 */
export interface KitPart {
  readonly file: string;
  /** Largest size that is read, bytes. */
  readonly maxBytes: number;
  /** Whether a kit of these settings holds it. */
  due(manifest: PartSettings): "always" | "never" | "may";
  /** What it was computed from, in words: `kit.json` says the same. */
  derivedFrom(generation: number): string;
  /** What a request does to it: writes it anew, or passes its bytes on as they are. */
  readonly next: "anew" | "passed on";
  /** `__metadata__` fields that its file may have; none where it is absent. */
  readonly metadata?: readonly string[];
  /**
   * Further files of the kit that this file's content names with their hashes, such as one per person,
   * so that a request reads and hashes only those that it needs. They lie in the kit's folder `folder`.
   */
  readonly rows?: KitRows;
}

/** What of `kit.json` decides which parts there are. */
export interface PartSettings {
  readonly unlearning: { readonly stepSizes: "global" | "learned" };
  readonly statistics?: unknown;
}

/** Files that a part's content names. */
export interface KitRows {
  /** A plain name, below the kit's own folder. */
  readonly folder: string;
  /** The rows' files, by name within the folder. @throws {LetheError} the content is damaged */
  list(
    bytes: Uint8Array,
    path: string,
  ): readonly { readonly file: string; readonly sha256: string }[];
}

const MEBIBYTE = 2 ** 20;
/** Largest file of weights: ViT-B takes a twentieth. */
const WEIGHTS = 8 * 2 ** 30;

const after = (generation: number) =>
  generation === 0 ? "" : `, then ${generation} unlearning request${generation > 1 ? "s" : ""}`;
const stale = (generation: number) =>
  generation === 0 ? "" : "; stale: of the model before any request, and of everybody's images";

/** Every file that a kit can hold besides `kit.json`, in the order in which `kit.json` names them. */
export const KIT_PARTS: readonly KitPart[] = [
  {
    file: "model.safetensors",
    maxBytes: WEIGHTS,
    due: () => "always",
    derivedFrom: (generation) => `training images and labels${after(generation)}`,
    next: "anew",
    metadata: ["format", "kernels"],
  },
  {
    file: "config.json",
    maxBytes: 16 * MEBIBYTE,
    due: () => "always",
    derivedFrom: () => "settings and label names",
    next: "passed on",
  },
  {
    file: "meta_loss.safetensors",
    maxBytes: WEIGHTS,
    due: () => "always",
    derivedFrom: (generation) =>
      "training and validation images, labels and identities" +
      (generation === 0 ? "" : "; the embedding rows of forgotten people are gone"),
    next: "anew",
  },
  {
    file: "step_sizes.safetensors",
    maxBytes: WEIGHTS,
    due: ({ unlearning }) => unlearning.stepSizes === "learned" ? "always" : "never",
    derivedFrom: () => "training and validation images and labels",
    next: "passed on",
  },
  {
    file: "training_images.txt",
    maxBytes: 256 * MEBIBYTE,
    due: () => "may",
    derivedFrom: () => "training and validation images, as keyed hashes of their files",
    next: "passed on",
  },
  {
    file: "importances.safetensors",
    maxBytes: WEIGHTS,
    due: ({ statistics }) => statistics ? "may" : "never",
    derivedFrom: (generation) => `training images and labels${stale(generation)}`,
    next: "passed on",
  },
  {
    file: "covariances.safetensors",
    maxBytes: WEIGHTS,
    due: ({ statistics }) => statistics ? "may" : "never",
    derivedFrom: (generation) => `training images${stale(generation)}`,
    next: "passed on",
  },
  {
    file: MEMORY_INDEX,
    maxBytes: WEIGHTS,
    due: () => "may",
    derivedFrom: (generation) =>
      `each training person's images, row by row and sealed${stale(generation)}`,
    next: "anew",
    rows: {
      folder: MEMORY_FOLDER,
      list: (bytes, path) =>
        parseMemoryIndex(new TextDecoder().decode(bytes), path).people
          .map(({ person, sha256 }) => ({ file: rowFile(person), sha256 })),
    },
  },
];

/** The part that a file of a kit is; undefined for any other name. */
export function kitPart(file: string): KitPart | undefined {
  return KIT_PARTS.find((part) => part.file === file);
}
