import type { DatasetName } from "../data/sample.ts";
import type { RmiaSettings } from "../measure/eq9_rmia.ts";
import type { PresetName } from "../model/config.ts";
import type { TrainingRecipe } from "../model/recipes.ts";
import type { MethodName } from "../unlearn/methods.ts";
import type { MetaLearnSettings } from "../run/meta_learning/settings.ts";

/**
 * What a benchmark is to do: the grid of data set x forget size x method x seed. Its JSON is read by
 * `parseGridSettings`; `presets.ts` has examples.
 */
export interface GridSettings {
  /** Of this form. */
  readonly version: 1;
  /** Of the grid, in titles. */
  readonly name: string;
  /** What is left to longer grids, in a line; printed below the tables. */
  readonly note?: string;
  /** Each draws its own split and weights. */
  readonly seeds: readonly number[];
  /** Data sets, each with the model that is trained on it. */
  readonly data: readonly DataSettings[];
  /** Rows of the tables. */
  readonly methods: readonly MethodSettings[];
  /** How cells are measured. */
  readonly measure: MeasureSettings;
  /** A stream of requests: into how many the people to forget are dealt; absent for none. */
  readonly sequence?: { readonly requests: number };
  /** Set by `withAblation`: its results are kept apart from the grid's own. */
  readonly ablation?: Ablation;
}

/** Names of the ablations: Table 5, 6 and 7. */
export const ABLATIONS = ["auxiliary-loss", "inputs", "request-size"] as const;
/** One of {@link ABLATIONS}. */
export type Ablation = typeof ABLATIONS[number];

/** One data set and the model that is trained on it. */
export interface DataSettings {
  /** As the tables call it, none twice. */
  readonly name: string;
  /** How the data set lies on the disk. */
  readonly layout: DatasetName | "portraits";
  /** The data set's folder; absent: the command names it. Of portraits there is none. */
  readonly root?: string;
  /** Sizes of the drawn portraits; their layout alone has them. */
  readonly portraits?: PortraitSizes;
  /** Numbers of people to forget, one grid column each. */
  readonly forget: readonly number[];
  /** Size of the network. */
  readonly preset: PresetName;
  /** Name of a training recipe. */
  readonly recipe: string;
  /** What is other than in the recipe. */
  readonly training: Partial<TrainingOverrides>;
  /**
   * Weights that every model of the grid is fine-tuned from, as `train --init` takes them; absent: drawn.
   * Stages are named after the path, as after a data set's.
   */
  readonly init?: string;
  /** What is other than published in meta-learning; N_S is the number of people to forget. */
  readonly metaLearning: MetaLearningOverrides;
  /** N_S where one person is to be forgotten (Sec. 5.3; released code: 50 CelebA-HQ, 10 CelebA). */
  readonly requestSizeForOne: number;
}

/** How many portraits are drawn, and how large. */
export interface PortraitSizes {
  /** Whom each image shows. */
  readonly identities: number;
  /** Pictures of each. */
  readonly imagesPerIdentity: number;
  /** Pixels a side. */
  readonly side: number;
}

/** What a grid may change of a training recipe. */
export type TrainingOverrides = Pick<
  TrainingRecipe,
  "epochs" | "learningRate" | "weightDecay" | "batchSize" | "select"
>;

/** What a grid may change of meta-learning. */
export type MetaLearningOverrides = Partial<MetaLearnSettings>;

/** One row of the tables. */
export type MethodSettings = MetaUnlearnSettings | MemoryMethodSettings | BaselineMethodSettings;

/** A row of MetaUnlearn. */
export interface MetaUnlearnSettings {
  /** As the tables call it, none twice. */
  readonly name: string;
  /** How to unlearn. */
  readonly method: "metaunlearn";
  /** What is other than the data set's meta-learning settings. */
  readonly metaLearning?: MetaLearningOverrides;
}

/** Numbers of memory's rounds and scales that a row of the grid may set in the default's place; see `MemoriseRecipe`. */
export interface MemoryTuning {
  /** Of the round before, 0 for nothing. */
  readonly momentum?: number;
  /** The first step as a share of the largest stable one; 0 for a step of 1. */
  readonly stableShare?: number;
  /** The last step as a share of the first. */
  readonly lastStep?: number;
  /** Weight of retained images, and how many hold a group; validation images: half of it. */
  readonly retainWeight?: number;
  /** Retained images per group. */
  readonly retainImages?: number;
  /** Share of the true labels in what retained images are held to. */
  readonly labelShare?: number;
  /** What people who stay may lose, a fraction of the metric. */
  readonly mostLost?: number;
  /** pi of the preconditioner. */
  readonly power?: number;
}

/** A row of what the kit remembers of each person. */
export interface MemoryMethodSettings extends MemoryTuning {
  /** As the tables call it, none twice. */
  readonly name: string;
  /** How to unlearn. */
  readonly method: "memory";
  /** Rank of what is kept of each weight matrix; null for all. */
  readonly rank: number | null;
  /** Partitions of the training people, and folds of each. */
  readonly foldSets: number;
  /** Models of each partition. */
  readonly folds: number;
  /** How often everybody is dealt into simulated requests. */
  readonly rounds: number;
  /** Rows are the updates that training logs of each person, not what rounds found. */
  readonly updates?: true;
}

/** A row of a method that the paper compares with. */
export interface BaselineMethodSettings {
  /** As people call it. */
  readonly name: string;
  /** How to unlearn. */
  readonly method: Exclude<MethodName, "metaunlearn" | "memory">;
  /**
   * Settings to choose among on simulated requests, each over the published ones of the data set's
   * layout and number of people; absent: the published ones.
   */
  readonly candidates?: readonly Readonly<Record<string, number>>[];
}

/** How cells are measured. */
export interface MeasureSettings {
  /** a and gamma of Eq. 9. */
  readonly rmia: RmiaSettings;
  /** Resamples of the bootstrap, and relabellings of the verdict's test. */
  readonly draws: number;
}
