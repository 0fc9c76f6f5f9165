import type { ImageFeed } from "../../data/loader/image_source.ts";
import type { Person } from "../../unlearn/meta_unlearn/simulate_requests.ts";
import { sha256Hex } from "../../files/sha256.ts";
import { encodeSafetensors } from "../../model/encode_safetensors.ts";
import type { Weights } from "../../tensor/weights.ts";
import { Random } from "../../random.ts";
import type { Folds } from "./folds_file.ts";
import { foldModels, type FoldModelsOptions } from "./fold_models.ts";
import { learnMemory } from "./learn_memory.ts";
import type { MemorySettings } from "./memory_inputs.ts";
import type { LearnedMemory } from "./scale_rows.ts";
import { JUDGED } from "./judge_scale.ts";
import type { RowFilesOptions } from "./row_files.ts";
import { openUpdates } from "./stored_updates.ts";
import { referenceLogits } from "./reference_answers.ts";

/** What {@link makeMemory} needs. */
export interface MakeMemoryOptions extends Omit<FoldModelsOptions, "random"> {
  readonly theta: Weights;
  readonly source: ImageFeed;
  /** Training people by row, in the order of `identities`. */
  readonly people: readonly Person[];
  /** Validation images of `source`. */
  readonly val: readonly number[];
  readonly microBatch: number;
  readonly settings: MemorySettings;
  /** Each gets rows of its own. */
  readonly ranks: readonly (number | null)[];
  readonly seed: number;
  /** A folder that rows are made in; a run that was stopped goes on from it, and its caller removes it. */
  readonly rowsFolder: string;
  /** How rows lie there. */
  readonly rowFiles?: RowFilesOptions;
  /** Folder of updates logged in training, which rows are made of in place of rounds. */
  readonly storedUpdates?: string;
}

/** Of all that is drawn for a kit's memory; its fork `folds` deals the folds. */
export function memoryRandom(seed: number): Random {
  return new Random(seed, "memory");
}

/**
 * Trains the fold models that are missing and writes down what the model memorised of each person.
 *
 * @throws {LetheError} the fold models are another model's
 */
export async function makeMemory(
  options: MakeMemoryOptions,
): Promise<{ readonly learned: LearnedMemory[]; readonly folds: Folds }> {
  const { theta, source, people, val, microBatch, settings, seed, folder, model } = options;
  const random = memoryRandom(seed);
  // Before the fold models: a folder of another model is told of at once.
  const updates = options.storedUpdates === undefined
    ? undefined
    : await openUpdates(options.storedUpdates, model, options.splitHash);
  const folds = await foldModels({ ...options, random: random.fork("folds") });
  const sample = (images: readonly number[], name: string, count: number) =>
    random.fork(name).shuffle(images).slice(0, count);
  const judged = {
    // Of each fold's requests those of the other folds count.
    retain: sample(people.flatMap(({ images }) => images), "judged others", 2 * JUDGED),
    val: sample(val, "judged val", JUDGED),
  };
  const answers = await referenceLogits(
    folder,
    folds,
    model.config,
    source,
    people,
    [...judged.retain, ...judged.val],
    microBatch,
    options.onProgress,
  );
  const learned = await learnMemory(
    {
      ...{ theta, config: model.config, microBatch, source, people, val, folds, answers, judged },
      ...(options.onProgress ? { onProgress: options.onProgress } : {}),
      rowsFolder: options.rowsFolder,
      ...(options.rowFiles ? { rowFiles: options.rowFiles } : {}),
      fingerprint: JSON.stringify({
        ...{ seed, split: options.splitHash, folds: folds.sets, init: options.init ?? null },
        model: sha256Hex(encodeSafetensors(model.theta)),
        device: options.device.adapter,
        precision: options.device.precision,
      }),
      ...(updates ? { steps: (row: number) => updates.step(options.identities[row]) } : {}),
    },
    settings,
    options.ranks,
    random,
  );
  return { learned, folds };
}
