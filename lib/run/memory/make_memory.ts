import type { ImageFeed } from "../../data/loader/image_source.ts";
import type { Person } from "../../unlearn/meta_unlearn/simulate_requests.ts";
import type { Weights } from "../../tensor/weights.ts";
import { Random } from "../../random.ts";
import type { Folds } from "./fold_models.ts";
import { foldModels, type FoldModelsOptions } from "./fold_models.ts";
import { type LearnedMemory, learnMemory, type MemorySettings } from "./learn_memory.ts";
import { heldOutFold, referenceLogits } from "./reference_answers.ts";

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
}

/** Images that a scale is judged on, of others and of validation people each. */
const JUDGED = 1024;

/**
 * Trains the fold models that are missing and writes down what the model memorised of each person.
 *
 * @throws {LetheError} the fold models are another model's
 */
export async function makeMemory(
  options: MakeMemoryOptions,
): Promise<{ readonly learned: LearnedMemory[]; readonly folds: Folds }> {
  const { theta, source, people, val, microBatch, settings, seed, folder, model } = options;
  const random = new Random(seed, "memory");
  const folds = await foldModels({ ...options, random: random.fork("folds") });
  const held = heldOutFold(folds);
  const others = people.flatMap(({ row, images }) => folds.sets[0][row] === held ? [] : images);
  const sample = (images: readonly number[], name: string) =>
    random.fork(name).shuffle(images).slice(0, JUDGED).sort((a, b) => a - b);
  const judged = { retain: sample(others, "judged others"), val: sample(val, "judged val") };
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
    },
    settings,
    options.ranks,
    random,
  );
  return { learned, folds };
}
