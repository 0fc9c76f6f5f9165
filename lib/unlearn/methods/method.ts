import type { ImageFeed } from "../../data/loader/image_source.ts";
import type { Task } from "../../data/sample.ts";
import { integer, type Kind, real } from "../../files/json_kinds.ts";
import type { MemoryRow } from "../../model/kit/memory_row.ts";
import type { StoredKit } from "../../model/kit/kit.ts";
import type { Random } from "../../random.ts";
import type { Weights } from "../../tensor/weights.ts";
import type { Backbone } from "../logit_gradient.ts";
import type { Answers } from "../memory/divergence.ts";
import type { TrainingStatistics } from "../training_statistics.ts";

/** One number that a method is set by: what it may be, and what it is. */
export interface Setting {
  /** Whole numbers only, or any. */
  readonly kind: "integer" | "number";
  /** Smallest value. */
  readonly min: number;
  /** Largest value. */
  readonly max: number;
  /** For `--help`: a few words. */
  readonly help: string;
}

/** What a method reads besides the model and the support images. */
export type Need =
  | "meta-loss"
  | "memory"
  | "importances"
  | "covariances"
  | "training images"
  | "references";

/** Data sets that the paper, or its released code, has settings for. */
export type PublishedLayout = "celeba" | "celebahq" | "mufac";

/** Published settings on one data set. */
export interface PublishedRow<Name extends string> {
  /** How the data set lies on the disk. */
  readonly layout: PublishedLayout;
  /** Largest number of people to forget that the row is for. */
  readonly upTo: number;
  /** What it is set by. */
  readonly settings: Readonly<Record<Name, number>>;
}

/** Images of a request, as indices of a source. */
export interface RequestImages {
  /** Photographs of the people to forget, at least one of each. */
  readonly support: readonly number[];
  /** Whose each of them is, in any numbering, where somebody gave several: each person weighs as one. */
  readonly people?: readonly number[];
  /** Training images of these people and of all others, for methods that need them. */
  readonly forget: readonly number[];
  /** Training images of all other people, for methods that need them. */
  readonly retain: readonly number[];
}

/** The model that unlearns, and where its images come from. */
export interface UnlearningContext extends Backbone {
  /** Stays the caller's. */
  readonly theta: Weights;
  /** What the model predicts. */
  readonly task: Task;
  /** Where its images come from. */
  readonly source: ImageFeed;
  /** For methods that need importances or covariances. */
  readonly statistics?: TrainingStatistics;
  /** For PGU: projectors that were made for several requests, in place of its own. */
  readonly projectors?: Weights;
  /** For JiT: steps by these weights and settings that several requests share, in place of its own. */
  readonly jit?: {
    /** Of support images' patches; see lib/unlearn/compared/jit.ts. @returns theta_u, the caller's */
    take(
      patches: Weights[string],
      noises: Iterable<Weights[string]>,
      people?: readonly number[],
    ): Promise<{ readonly theta: Weights; readonly value: number }>;
  };
  /** For methods that need a kit's own parts: the kit, and the row of each photograph's person. */
  readonly kit?: { readonly stored: StoredKit; readonly rows: readonly number[] };
  /** For methods that need what the kit remembers: the opened row of each person of the request. */
  readonly memory?: readonly MemoryRow[];
  /** For methods that need references: what models that never saw them say of the images to forget. */
  readonly references?: Answers;
  /** Where draws come from. */
  readonly random: Random;
  /** Called with the images of each step, by methods that train on the training images. */
  readonly onImages?: (images: number) => void;
}

/** What a method gives. */
export interface Unlearned {
  /** theta_u, the caller's. */
  readonly theta: Weights;
  /** Where people are taken in several steps; absent: all at once. */
  readonly steps?: readonly { readonly people: number; readonly metaLoss?: number }[];
}

/**
 * All that the command line, the kit and the benchmark need to know of a method. A new method is one
 * file with one of these, and one line in `methods.ts`.
 *
 * The launcher of an unlearning run reads descriptors too, and computes nothing: so `run` imports the
 * method's mathematics when it is called.
 */
export interface Method<Name extends string = string, SettingName extends string = string> {
  /** As `--method` has it. */
  readonly name: Name;
  /** As tables have it. */
  readonly title: string;
  /** The publication. */
  readonly source: string;
  /** What it reads besides the model and the support images. */
  readonly needs: readonly Need[];
  /** What it is set by. */
  readonly settings: Readonly<Record<SettingName, Setting>>;
  /** Most specific row first; none where a method's settings lie in the kit. */
  readonly published: readonly PublishedRow<SettingName>[];
  /**
   * What to choose among, on simulated requests, for a model that the published settings are not for: a
   * small ViT trained from scratch is wrecked by steps that one that was fine-tuned gently survives.
   */
  readonly candidates: readonly Readonly<Record<SettingName, number>>[];
  /** Images that a run passes in all, for methods that train on the training images. */
  readonly images?: (
    settings: Readonly<Record<SettingName, number>>,
    request: RequestImages,
  ) => number;
  /** Unlearns. @returns theta_u, the caller's @throws TypeError what it needs is not in the context */
  run(
    context: UnlearningContext,
    request: RequestImages,
    settings: Readonly<Record<SettingName, number>>,
  ): Promise<Unlearned>;
}

/** What a setting's value may be, for files. */
export function kindOf({ kind, min, max }: Setting): Kind<number> {
  return kind === "integer" ? integer(min, max) : real(min, max);
}

/** What a method needs, which whoever made the context was to bring. @throws TypeError it is absent */
export function needed<T>(value: T | undefined, what: string): T {
  if (value !== undefined) return value;
  throw new TypeError(`the method needs ${what}`);
}
