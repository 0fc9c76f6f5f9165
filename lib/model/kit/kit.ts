import type { Model } from "../checkpoint.ts";
import type { Weight } from "../safetensors.ts";
import type { KitManifest } from "./kit_manifest.ts";
import type { KitStatistics } from "./kit_statistics.ts";
import type { MemoryIndex } from "./memory_index.ts";
import type { StoredManifest } from "./stored_manifest.ts";
import type { TrainingImages } from "./training_images.ts";

/** All that `unlearn` reads besides the requests (.github/ARCHITECTURE.md, section 1). */
export interface Kit {
  /** Weights and what they are. */
  readonly model: Model;
  /** The meta-loss. */
  readonly phi: ReadonlyMap<string, Weight>;
  /** log s_k, a scalar per tensor of theta; absent with one global step size. */
  readonly logStepSizes?: ReadonlyMap<string, Weight> | undefined;
  /** Keyed hash of each image that was learned from; absent in kits made before there were any. */
  readonly trainingImages?: Iterable<string>;
  /** For SSD, PGU and influence; `manifest.statistics` tells of them. */
  readonly statistics?: KitStatistics;
  /** What it remembers of each person; reading a kit leaves the rows where they lie. */
  readonly memory?: SealedMemory;
  /** What kit.json says. */
  readonly manifest: Omit<KitManifest, "version" | "files">;
}

/** Rows by person, as {@link sealRow} sealed them, and what names them. */
export interface SealedMemory {
  /** Where each row lies, and its hash. */
  readonly index: MemoryIndex;
  /** By name or number. */
  readonly rows:
    | Iterable<readonly [string, Uint8Array<ArrayBuffer>]>
    | AsyncIterable<readonly [string, Uint8Array<ArrayBuffer>]>;
}

/** A kit as it lies on the disk. */
export interface StoredKit extends Kit, StoredManifest {
  /** As in a {@link Kit}, where they lie in their file. */
  readonly trainingImages?: TrainingImages;
  /** What kit.json says. */
  readonly manifest: KitManifest;
}

/** The meta-loss's and the step sizes' files. */
export const META_LOSS = "meta_loss.safetensors";
export const STEP_SIZES = "step_sizes.safetensors";
