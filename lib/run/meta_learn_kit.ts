import { finishBeforeExit } from "../files/finish_before_exit.ts";
import { removeUnfinished } from "../files/write_whole.ts";
import { uploadWeights } from "../model/device_weights.ts";
import { identityKeyPath, newIdentityKey, writeIdentityKey } from "../model/kit/identity_key.ts";
import { inWords, MOST_EPOCHS } from "../model/kit/record_schema.ts";
import { disposeWeights } from "../tensor/weights.ts";
import { disposeParameters, type MetaEpoch } from "../unlearn/meta_unlearn/meta_learn.ts";
import { rowsFolder } from "./memory/remember_people.ts";
import { afterEpochs, type KitParts } from "./meta_learning/after_epochs.ts";
import { foldsBeside } from "./meta_learning/folds_beside.ts";
import { type LearnedEpochs, learnEpochs } from "./meta_learning/learn_epochs.ts";
import { type MetaLearningRun, openMetaLearning } from "./meta_learning/open_run.ts";
import type { MetaLearnOptions } from "./meta_learning/options.ts";
import { metaLearningStatePath } from "./meta_learning/state.ts";
import { writeLearnedKit } from "./meta_learning/write_learned_kit.ts";
import { hashesOf } from "./split_data.ts";

export type { MetaLearnOptions } from "./meta_learning/options.ts";

/**
 * Learns the meta-loss (Algorithm 1) on a split's train and validation people and writes the kit:
 * all that unlearning needs, so that the data set can be deleted. After each epoch the state is saved
 * beside `out`; the same call goes on from it and ends with the same kit.
 *
 * @throws UsageError `inputs` has neither logits nor features, or one input twice
 * @throws LetheError bad input, `out` exists, or too few people for N_S
 */
export async function metaLearnKit(options: MetaLearnOptions): Promise<readonly MetaEpoch[]> {
  using run = await openMetaLearning(options);
  for (const path of [options.out, metaLearningStatePath(options.out)]) {
    await removeUnfinished(path);
  }
  const foldModels = foldsBeside(run);
  const theta = uploadWeights(run.model.theta);
  const learned = await learnEpochs(run, theta);
  const parts = await afterEpochs(run, theta, learned, foldModels);
  await finishBeforeExit(() => writeKitAndKey(run, learned, parts));
  disposeParameters(learned.parameters);
  disposeWeights(theta);
  return learned.history;
}

/** Writes key and kit, and removes what stopped runs go on from. */
async function writeKitAndKey(
  run: MetaLearningRun,
  { parameters, history, kernels }: LearnedEpochs,
  parts: KitParts,
): Promise<void> {
  const { options, settings, model, data, microBatch, identities } = run;
  const { device, out, seed } = options;
  const key = run.givenKey ?? newIdentityKey();
  // Before the kit: a kit without its key could name nobody.
  if (!run.givenKey) {
    await writeIdentityKey(identityKeyPath(out), key);
    options.onNotice?.(
      `identity key: ${identityKeyPath(out)} (new and secret: keep it, requests need it)`,
    );
  }
  await writeLearnedKit(out, key, {
    model: kernels ? { ...model, kernels } : model,
    ...{ parameters, settings, identities, ...parts },
    imageHashes: hashesOf(data, run.samples),
    record: {
      ...{ settings, seed, microBatch, split: data.sha256 },
      ...{ device: inWords(device.adapter), precision: device.precision },
      history: history.slice(-MOST_EPOCHS),
    },
  });
  await Deno.remove(metaLearningStatePath(out)).catch(() => {});
  await Deno.remove(rowsFolder(out), { recursive: true }).catch(() => {});
}
