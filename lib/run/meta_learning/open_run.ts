import { joinedSamples } from "../../data/packed_samples.ts";
import type { ImageFeed } from "../../data/loader/image_source.ts";
import { range } from "../../data/loader/image_source.ts";
import type { Augmentation } from "../../data/images/random_crop.ts";
import type { Samples } from "../../data/sample.ts";
import { samplesOf } from "../../data/split.ts";
import { LetheError } from "../../error.ts";
import { sha256Hex } from "../../files/sha256.ts";
import { refuseExisting } from "../../files/write_whole.ts";
import { type Model, readModel } from "../../model/checkpoint.ts";
import { oracleNotice } from "../oracle_origin.ts";
import { encodeSafetensors } from "../../model/encode_safetensors.ts";
import {
  type IdentityKey,
  identityKeyPath,
  readIdentityKey,
} from "../../model/kit/identity_key.ts";
import { microBatchWithin } from "../../model/memory_plan.ts";
import { Random } from "../../random.ts";
import { holdOut } from "../../unlearn/meta_unlearn/held_out.ts";
import type { Person } from "../../unlearn/meta_unlearn/simulate_requests.ts";
import { checkFoldModels, type FoldModelsOptions } from "../memory/fold_models.ts";
import { peopleOf } from "../memory/people_of.ts";
import { foldsOf } from "../memory/remember_people.ts";
import { DEFAULT_FOLDS } from "../memory/settings.ts";
import { openUpdates } from "../memory/stored_updates.ts";
import { openSplit, type SplitData } from "../split_data.ts";
import { openImages, type SplitImages } from "../split_images.ts";
import type { MetaLearnOptions } from "./options.ts";
import { checkInputs, checkSettings, type MetaLearnSettings } from "./settings.ts";

/** What a run of meta-learning works on; all that can be refused has been refused. */
export interface MetaLearningRun extends Disposable {
  readonly options: MetaLearnOptions;
  readonly settings: MetaLearnSettings;
  /** The key that was named; absent: a new one is made. */
  readonly givenKey?: IdentityKey;
  readonly data: SplitData;
  readonly model: Model;
  /** Images per pass through the backbone. */
  readonly microBatch: number;
  readonly images: SplitImages;
  /** Of the training part, then of validation. */
  readonly samples: Samples;
  readonly source: ImageFeed;
  /** Images of `source` that are of the training part, which comes first. */
  readonly train: Samples;
  /** Validation images of `source`. */
  readonly val: readonly number[];
  /** People of the training part by embedding row. */
  readonly identities: readonly string[];
  readonly people: readonly Person[];
  /** Those that are meta-trained on, and those that judge the epochs. */
  readonly trained: readonly Person[];
  readonly heldOut: readonly Person[];
  /** People of validation, whom the model was not trained on. */
  readonly unseen: readonly Person[];
  readonly random: Random;
  /** How fold models are made, and which. */
  readonly foldOptions: Omit<FoldModelsOptions, "folder" | "count" | "sets" | "random">;
  readonly folds: ReturnType<typeof foldsOf>;
  /** JSON of all that the run's bits depend on. */
  readonly fingerprint: string;
  /** Support images, varied by some random numbers. */
  variedSource(random: Random): ImageFeed;
}

/** How simulated support images are varied: enough that theta meets them as new, still the person. */
const SUPPORT_VARIATION: Augmentation = {
  crop: { scale: [0.85, 1], ratio: [0.9, 1 / 0.9] },
  flip: true,
};

/**
 * Opens what meta-learning reads, and refuses what does not go together before anything is computed.
 *
 * @throws UsageError `inputs` has neither logits nor features, or one input twice
 * @throws LetheError bad input, `out` exists, or too few people for N_S
 */
export async function openMetaLearning(options: MetaLearnOptions): Promise<MetaLearningRun> {
  const { device, out, seed, onProgress } = options;
  if (typeof options.settings !== "function") checkInputs(options.settings.inputs);
  await refuseExisting(out);
  const givenKey = options.identityKey && await readIdentityKey(options.identityKey);
  if (!givenKey) await refuseExisting(identityKeyPath(out));
  const data = await openSplit(options.split, options.data);
  const settings = typeof options.settings === "function"
    ? options.settings(data.split.forgetCount)
    : options.settings;
  checkInputs(settings.inputs);
  const model = await readModel(options.model);
  const { config } = model;
  const notice = await oracleNotice(options.model, "its kit", data.sha256);
  if (notice !== null) options.onNotice?.(notice);
  checkSettings(settings, config);
  const microBatch = options.microBatch ??
    microBatchWithin(config, config.labels.length, "meta-learn", 64, options.memoryLimit);
  if (config.labels.join("\n") !== data.dataset.labels.join("\n")) {
    throw new LetheError(
      `${options.model} predicts other labels than the split has`,
      "the meta-loss is learned on the model's own training set",
      "name the model and the split that belong together",
    );
  }
  const train = samplesOf(data.split, data.dataset, "train");
  const val = samplesOf(data.split, data.dataset, "val");
  const samples = joinedSamples([train, val]);
  const { identities, people } = peopleOf(train, 0);
  const random = new Random(seed, "meta-learning");
  const { trained, heldOut } = holdOut(people, settings.holdOut, random.fork("hold-out"));
  if (trained.length < settings.requestSize) {
    throw new LetheError(
      `a request of ${settings.requestSize} people`,
      `there are ${trained.length} people to meta-train on`,
      "choose a smaller --request-size or --hold-out",
    );
  }

  // Read again when the rows are made, after the epochs; what is wrong with it is told before them.
  const updates = options.memory?.storedUpdates;
  if (updates !== undefined) await openUpdates(updates, model, data.sha256);
  const folds = foldsOf(options.folds ?? options.memory ?? DEFAULT_FOLDS, out);
  const foldOptions = {
    ...{ device, model, identities, split: options.split, data: options.data },
    ...{ modelFolder: options.model, splitHash: data.sha256 },
    ...(options.memoryLimit === undefined ? {} : { memoryLimit: options.memoryLimit }),
    ...(options.cache === undefined ? {} : { cache: options.cache }),
    ...(onProgress ? { onProgress } : {}),
    ...(options.onNotice ? { onNotice: options.onNotice } : {}),
  };
  if (options.memory || settings.form.align === "folds") {
    const { there, all } = await checkFoldModels({ ...foldOptions, ...folds });
    const rest = there < all ? `, the others will be trained as the model was` : "";
    options.onNotice?.(`${folds.folder}: ${there} of ${all} fold models are there${rest}`);
  }
  const fingerprint = JSON.stringify({
    settings,
    seed,
    microBatch,
    split: data.sha256,
    ...(settings.form.align === "folds" ? { folds: folds.count, foldSets: folds.sets } : {}),
    // Their content, not their path: another model may lie there by now.
    model: sha256Hex(encodeSafetensors(model.theta)),
    device: device.adapter,
    precision: device.precision,
  });
  const images = openImages(data, options.cache, options.onNotice);
  return {
    ...{ options, settings, data, model, microBatch, images, samples, train, identities, people },
    ...(givenKey ? { givenKey } : {}),
    source: images.source(samples, config),
    val: range(val.length).map((i) => train.length + i),
    ...{ trained, heldOut, unseen: peopleOf(val, train.length).people },
    ...{ random, foldOptions, folds, fingerprint },
    variedSource: (random) =>
      images.source(samples, config, { varied: { augmentation: SUPPORT_VARIATION, random } }),
    [Symbol.dispose]: () => images[Symbol.dispose](),
  };
}
