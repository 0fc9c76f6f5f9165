import { sha256Hex } from "../../files/sha256.ts";
import type { MetaLossInput } from "../meta_loss/meta_loss_inputs.ts";
import type { StatisticsRecord } from "./kit_statistics.ts";
import type { KitMethodSettings } from "./method_settings.ts";
import { inOrder, KIT_RECORD } from "./record_schema.ts";

/** `kit.json`: what a kit holds, where it comes from and how it is used. */
export interface KitManifest {
  /** 1: of before kits had an id of their own; 2: as this version writes. */
  readonly version: 1 | 2;
  /** 0 as meta-learned; one more after each request. */
  readonly generation: number;
  /** Id of the kit that this kit was made from by a request; null as meta-learned. */
  readonly parent: string | null;
  /**
   * Which identity key its hashes were made with (`keyFingerprint`); absent in kits made before it
   * was kept.
   */
  readonly keyFingerprint?: string;
  /** How many there are. */
  readonly files: readonly KitFile[];
  /** How MetaUnlearn steps. */
  readonly unlearning: KitUnlearning;
  /** How SSD, PGU and JiT unlearn unless told otherwise; absent in kits made before there were any. */
  readonly methods?: KitMethodSettings;
  /** Of SSD's and PGU's statistics; absent in kits without. */
  readonly statistics?: StatisticsRecord;
  /** How far a step moves the weights, by method; absent where nobody measured it. */
  readonly stepRanges?: Readonly<Record<string, StepRange>> | undefined;
  /** Sizes of the meta-loss (Table 8b). */
  readonly metaLoss: { readonly hidden: number; readonly embeddingSize: number };
  /** Keyed hash of each person that the kit can forget; the position is the embedding row. */
  readonly identities: readonly string[];
  /** Keyed hashes of the people that earlier requests forgot. */
  readonly forgotten: readonly string[];
  /** How phi was learned: every hyperparameter, the seed, the adapter ({@link KIT_RECORD}). */
  readonly record: Readonly<Record<string, unknown>>;
}

/** How far simulated requests moved the weights: |theta_u - theta| / |theta|, of all tensors together. */
export interface StepRange {
  /** Requests that were simulated. */
  readonly requests: number;
  /** Whether their people were held out of meta-training. */
  readonly heldOut: boolean;
  /** Lower end. */
  readonly low: number;
  /** Upper end. */
  readonly high: number;
}

/** `kit.json` and the kit's id. */
export interface ParsedManifest {
  readonly manifest: KitManifest;
  /**
   * What the kit is known by wherever it lies: SHA-256 of `kit.json` as {@link encodeManifest} writes it,
   * less the line of the id itself (version 2) or whole (version 1).
   */
  readonly id: string;
}

/** A file of the kit. */
export interface KitFile {
  /** Its name, relative. */
  readonly file: string;
  /** Of the content, hex. */
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
  /** One for all tensors, or one each. */
  readonly stepSizes: "global" | "learned";
}

/**
 * The one text of a manifest: fields in the order of {@link KitManifest}, two spaces, no others.
 *
 * @returns the text of `kit.json` and the kit's id
 */
export function encodeManifest(manifest: KitManifest): { text: string; id: string } {
  const { version, ...others } = ordered(manifest);
  const encoded = (value: unknown) => JSON.stringify(value, null, 2) + "\n";
  const id = sha256Hex(new TextEncoder().encode(encoded({ version, ...others })));
  return version === 1
    ? { text: encoded({ version, ...others }), id }
    : { text: encoded({ version, id, ...others }), id };
}

/** A manifest's fields in their order; a field that is absent stays so. */
function ordered(manifest: KitManifest): KitManifest {
  const { version, generation, parent, unlearning, methods, statistics, stepRanges } = manifest;
  const { keyFingerprint, metaLoss, identities, forgotten, record, files } = manifest;
  return {
    ...{ version, generation, parent },
    ...(keyFingerprint === undefined ? {} : { keyFingerprint }),
    unlearning,
    ...(methods === undefined ? {} : { methods }),
    ...(statistics === undefined ? {} : { statistics }),
    ...(stepRanges === undefined ? {} : { stepRanges }),
    ...{ metaLoss, identities, forgotten },
    record: inOrder(record, KIT_RECORD) as KitManifest["record"],
    files,
  };
}
