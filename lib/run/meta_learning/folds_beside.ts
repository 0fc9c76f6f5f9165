import { foldModels } from "../memory/fold_models.ts";
import { memoryRandom } from "../memory/make_memory.ts";
import type { MetaLearningRun } from "./open_run.ts";

/**
 * Begins to train a memory's fold models in workers, where that is asked for, so that a second core or a
 * card has work while the meta-loss is learned.
 *
 * @returns waits for them; from then on they tell how far they are
 */
export function foldsBeside(run: MetaLearningRun): () => Promise<void> {
  const { options: { memory, seed, onProgress }, settings, microBatch } = run;
  const { beside = false, atOnce = 1 } = memory ?? {};
  // The epochs themselves wait for them where they follow them.
  if (!beside || atOnce === 1 || settings.form.align === "folds") return () => Promise.resolve();
  let awaited = false;
  const trained = foldModels({
    ...{ ...run.foldOptions, ...run.folds, microBatch, atOnce },
    random: memoryRandom(seed).fork("folds"),
    onProgress: (step) => void (awaited && onProgress?.(step)),
  });
  // Should an epoch fail first, this must not end the process with a second error.
  trained.catch(() => {});
  return async () => {
    awaited = true;
    await trained;
  };
}
