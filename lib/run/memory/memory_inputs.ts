import type { ImageFeed } from "../../data/loader/image_source.ts";
import type { ModelConfig } from "../../model/config.ts";
import type { RowLayers } from "../../model/kit/row_layers.ts";
import type { Weight } from "../../model/safetensors.ts";
import type { Weights } from "../../tensor/weights.ts";
import type { LearnRecipe } from "../../unlearn/memory/learn_step.ts";
import type { MemoriseRecipe } from "../../unlearn/memory/memory_context.ts";
import type { Person } from "../../unlearn/meta_unlearn/simulate_requests.ts";
import type { OnProgress } from "../progress.ts";
import type { Folds } from "./folds_file.ts";
import type { ReferenceLogits } from "./reference_answers.ts";
import type { RowFilesOptions } from "./row_files.ts";

/** How a kit's memory is made, besides the rank; all of it is recorded. */
export interface MemorySettings {
  /** Images whose gradients' moments the step is preconditioned by. */
  readonly momentImages: number;
  /** lambda and pi at the start. */
  readonly damping: number;
  readonly power: number;
  /** One person's first step as a share of the weights' norm. */
  readonly share: number;
  readonly memorise: MemoriseRecipe;
  /** Absent: lambda and pi stay as they start. */
  readonly learn?: LearnRecipe;
  /** Which tensors rows are kept of, or all choices, to choose among by simulated requests; absent: all. */
  readonly layers?: RowLayers | "chosen";
  /** Sizes of the simulated requests that rows are scaled by, in falling order. */
  readonly requestSizes: readonly number[];
  /** What people who stay may lose by simulated requests, a fraction of the metric. */
  readonly mostLost: number;
}

/** The model, its images and the fold models' answers. */
export interface MemoryInputs {
  readonly theta: Weights;
  readonly config: ModelConfig;
  readonly microBatch: number;
  readonly source: ImageFeed;
  readonly people: readonly Person[];
  readonly val: readonly number[];
  readonly folds: Folds;
  readonly answers: ReferenceLogits;
  /** Images that every fold's model was asked about, by which a scale is judged. */
  readonly judged: { readonly retain: readonly number[]; readonly val: readonly number[] };
  /** Each person's row, whole, before it is scaled; absent: it is memorised by rounds. */
  readonly steps?: (row: number) => Promise<ReadonlyMap<string, Weight>>;
  /** A folder that rows are made in, for everybody's do not fit the memory; removed by who made the kit. */
  readonly rowsFolder: string;
  /** How rows lie there. */
  readonly rowFiles?: RowFilesOptions;
  /** JSON of all that rows depend on besides the settings and what computes. */
  readonly fingerprint: string;
  readonly onProgress?: OnProgress | undefined;
}
