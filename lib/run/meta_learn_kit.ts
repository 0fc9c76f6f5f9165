import { join } from "@std/path";
import type { Augmentation } from "../data/images/random_crop.ts";
import { range } from "../data/loader/image_source.ts";
import { sha256Hex } from "../files/sha256.ts";
import { joinedSamples } from "../data/packed_samples.ts";
import type { Samples } from "../data/sample.ts";
import { samplesOf } from "../data/split.ts";
import { refuseExisting, removeUnfinished } from "../files/write_whole.ts";
import { LetheError } from "../error.ts";
import { finishBeforeExit } from "../files/finish_before_exit.ts";
import { readModel } from "../model/checkpoint.ts";
import { uploadWeights } from "../model/device_weights.ts";
import {
  identityKeyPath,
  newIdentityKey,
  readIdentityKey,
  writeIdentityKey,
} from "../model/kit/identity_key.ts";
import { inWords, MOST_EPOCHS } from "../model/kit/record_schema.ts";
import { microBatchWithin } from "../model/memory_plan.ts";
import { encodeSafetensors } from "../model/encode_safetensors.ts";
import { chooseKernels } from "../tensor/kernels/autotune/choose_kernels.ts";
import type { Device } from "../tensor/device.ts";
import { Random } from "../random.ts";
import { disposeWeights } from "../tensor/weights.ts";
import { heldOutRequests, holdOut } from "../unlearn/meta_unlearn/held_out.ts";
import {
  disposeParameters,
  type MetaEpoch,
  metaLearn,
} from "../unlearn/meta_unlearn/meta_learn.ts";
import type { Answers } from "../unlearn/memory/divergence.ts";
import type { Person } from "../unlearn/meta_unlearn/simulate_requests.ts";
import type { StatisticsChoice } from "../unlearn/training_statistics.ts";
import { kitForMethods, type MethodSettingsChoice } from "./kit_for_methods.ts";
import { initialParameters } from "./meta_learning/initial_parameters.ts";
import { metaObjective } from "./meta_learning/objective.ts";
import { checkInputs, checkSettings, type MetaLearnSettings } from "./meta_learning/settings.ts";
import { keptForMethods } from "./meta_learning/kept_for_methods.ts";
import {
  loadMetaLearning,
  metaLearningStatePath,
  saveMetaLearning,
} from "./meta_learning/state.ts";
import { memoryRange } from "./meta_learning/method_ranges.ts";
import { metaUnlearnRange } from "./meta_learning/step_ranges.ts";
import { writeLearnedKit } from "./meta_learning/write_learned_kit.ts";
import { foldAnswers } from "./memory/fold_answers.ts";
import { checkFoldModels, foldModels } from "./memory/fold_models.ts";
import { memoryRandom } from "./memory/make_memory.ts";
import { DEFAULT_FOLDS } from "./memory/settings.ts";
import {
  type FoldChoice,
  foldsOf,
  type MemoryChoice,
  rememberPeople,
  rowsFolder,
} from "./memory/remember_people.ts";
import { peopleOf } from "./memory/people_of.ts";
import { openUpdates } from "./memory/stored_updates.ts";
import { kernelProgress, type OnProgress } from "./progress.ts";
import { hashOf, openSplit, type SplitData } from "./split_data.ts";
import { openImages } from "./split_images.ts";

/** What {@link metaLearnKit} needs. */
export interface MetaLearnOptions {
  /** What computes. */
  readonly device: Device;
  /** Folder of the trained model. */
  readonly model: string;
  /** The split's file. */
  readonly split: string;
  /** The data set's folder. */
  readonly data: string;
  /** Kit folder to make; it must not exist. */
  readonly out: string;
  /** A file with the key to use; default: a new one, written beside the kit. */
  readonly identityKey?: string;
  /** How to meta-learn; may depend on how many people the split has to forget. */
  readonly settings: MetaLearnSettings | ((forgetCount: number) => MetaLearnSettings);
  /** Of all that is drawn. */
  readonly seed: number;
  /** Images per pass through the backbone; default 64, or as many as the memory holds. */
  readonly microBatch?: number | undefined;
  /** Bytes of device memory to keep within. */
  readonly memoryLimit?: number | undefined;
  /** What SSD and PGU will need of the training images; default all. PGU's part is the largest. */
  readonly statistics?: StatisticsChoice;
  /** Where the settings of SSD, PGU and JiT come from; default published. */
  readonly methodSettings?: MethodSettingsChoice;
  /** Fold models, which `align` of `folds` follows; default those of the memory, or 5 beside the kit. */
  readonly folds?: FoldChoice;
  /** What the kit is to remember of each person; absent for nothing. */
  readonly memory?: MemoryChoice;
  /** A folder that keeps decoded images. */
  readonly cache?: string | undefined;
  /** Told of the work done. */
  readonly onProgress?: OnProgress | undefined;
  /** Called after each epoch. */
  readonly onEpoch?: (epoch: MetaEpoch) => void;
  /** Lines for people, such as after which epoch a stopped run goes on. */
  readonly onNotice?: (line: string) => void;
}

/** How simulated support images are varied: enough that theta meets them as new, still the person. */
export const SUPPORT_VARIATION: Augmentation = {
  crop: { scale: [0.85, 1], ratio: [0.9, 1 / 0.9] },
  flip: true,
};

/** Images of meta-trained people that held-out requests are judged on. */
const RETAIN_SAMPLE = 256;

/**
 * Learns the meta-loss (Algorithm 1) on a split's train and validation people and writes the kit:
 * all that unlearning needs, so that the data set can be deleted. After each epoch the state is saved
 * beside `out`; the same call goes on from it and ends with the same kit.
 *
 * @throws UsageError `inputs` has neither logits nor features, or one input twice
 * @throws LetheError bad input, `out` exists, or too few people for N_S
 */
export async function metaLearnKit(options: MetaLearnOptions): Promise<readonly MetaEpoch[]> {
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
  using images = openImages(data, options.cache);
  const source = images.source(samples, config);
  const { identities, people } = peopleOf(train, 0);
  const unseen = peopleOf(val, train.length).people;
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
  // Before the passes below, so that a state of another run is told of at once.
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
  const statePath = metaLearningStatePath(out);
  for (const path of [out, statePath]) await removeUnfinished(path);
  const saved = await loadMetaLearning(statePath, fingerprint);
  const theta = uploadWeights(model.theta);
  const valIndices = range(val.length).map((i) => train.length + i);
  // `keep` compares with theta's own losses on its images; without it only Dv's are needed.
  const cached = settings.keep === "retain" ? range(samples.length) : valIndices;
  let reference: Answers | undefined;
  if (settings.form.align === "folds") {
    const random = memoryRandom(seed).fork("folds");
    await foldModels({ ...foldOptions, ...folds, random });
    reference = await foldAnswers(folds.folder, model, data, source, train, microBatch);
  }
  const objective = {
    ...await metaObjective(theta, config, source, cached, settings, microBatch, onProgress),
    ...(reference ? { reference } : {}),
  };
  const variedSource = (random: Random) =>
    images.source(samples, config, {
      varied: { augmentation: SUPPORT_VARIATION, random },
    });
  const judge = heldOut.length === 0 ? undefined : await heldOutRequests(
    theta,
    objective,
    {
      people: heldOut,
      retain: random.fork("retain sample")
        .shuffle(trained.flatMap((person) => person.images)).slice(0, RETAIN_SAMPLE),
      unseen,
      requestSize: settings.requestSize,
      ...(settings.varySupport
        ? { supportSource: () => variedSource(random.fork("judge support")) }
        : {}),
      ...(settings.heldOutImages === undefined ? {} : { unseenImages: settings.heldOutImages }),
    },
    random.fork("judge"),
    rounds("judge held-out requests", heldOut.length, settings.requestSize, onProgress),
  );
  const initial = await initialParameters(
    {
      ...{ theta, config, source, trained, microBatch },
      identities: identities.length,
      ...(onProgress ? { onProgress } : {}),
    },
    settings,
    random,
  );

  const epochsDone = saved?.history.length ?? 0;
  if (saved) options.onNotice?.(`${statePath}: goes on after epoch ${epochsDone}`);
  let done = epochsDone * requestedPeople(trained, settings);
  const total = settings.epochs * requestedPeople(trained, settings);
  const kernels = chooseKernels(device, model.kernels, kernelProgress(onProgress));
  const { parameters, history } = await metaLearn(
    {
      recipe: settings,
      objective,
      seed,
      people: trained,
      val: valIndices,
      hidden: settings.hidden,
      heldOut: judge,
      ...(settings.varySupport ? { supportSource: variedSource } : {}),
      onFirstStep: () => kernels.settle(),
      onRequest(count, epoch, value) {
        done += count;
        const note = `epoch ${epoch}/${settings.epochs}, A ${value.toFixed(4)}`;
        onProgress?.({ stage: "meta-learn", done, total, unit: "people", note });
      },
      async onEpoch(state) {
        options.onEpoch?.(state.history.at(-1)!);
        await finishBeforeExit(() => saveMetaLearning(statePath, fingerprint, state));
      },
    },
    theta,
    initial,
    saved,
  );

  const supports = settings.varySupport ? variedSource(random.fork("step range")) : source;
  const simulated = {
    ...(heldOut.length > 0
      ? { people: heldOut, heldOut: true }
      : { people: trained, heldOut: false }),
    ...{ requestSize: settings.requestSize, source: supports },
    random: random.fork("step range people"),
    theta: { device: theta, host: model.theta },
  };
  // First: it draws from `supports` like the methods below, which a run that goes on may have kept.
  const ownRange = await metaUnlearnRange(simulated, parameters, objective);
  const { statistics = "all", methodSettings = "published" } = options;
  const trainedOn = {
    ...{ model, theta, microBatch, data, images, source, seed, simulated },
    ...(settings.heldOutImages === undefined ? {} : { unseenImages: settings.heldOutImages }),
    // Batches of one person's images would not be like the training set.
    trained: random.fork("statistics").shuffle(range(train.length)),
    ...(onProgress ? { onProgress } : {}),
  };
  const compute = () => kitForMethods(statistics, methodSettings, trainedOn);
  // With a memory the longest part is still to come.
  const forMethods = await (options.memory
    ? keptForMethods(
      join(rowsFolder(out), "for-methods.safetensors"),
      JSON.stringify({ run: fingerprint, statistics, methodSettings }),
      compute,
    )
    : compute());
  const memory = options.memory && await rememberPeople(options.memory, {
    ...foldOptions,
    ...{ theta, source, people, microBatch, seed, out, val: valIndices, unseen },
  });
  const remembered = memory && await memoryRange(memory.learned, simulated);
  const stepRanges = {
    ...(ownRange ? { metaunlearn: ownRange } : {}),
    ...(remembered ? { memory: remembered } : {}),
    ...forMethods.stepRanges,
  };
  const key = givenKey ?? newIdentityKey();
  await finishBeforeExit(async () => {
    // Before the kit: a kit without its key could name nobody.
    if (!givenKey) {
      await writeIdentityKey(identityKeyPath(out), key);
      options.onNotice?.(
        `identity key: ${identityKeyPath(out)} (new and secret: keep it, requests need it)`,
      );
    }
    await writeLearnedKit(out, key, {
      model: kernels.choice ? { ...model, kernels: kernels.choice } : model,
      ...{ parameters, settings, forMethods, identities, stepRanges },
      ...(memory ? { memory } : {}),
      imageHashes: hashesOf(data, samples),
      record: {
        ...{ settings, seed, microBatch, split: data.sha256 },
        ...{ device: inWords(device.adapter), precision: device.precision },
        history: history.slice(-MOST_EPOCHS),
      },
    });
    await Deno.remove(statePath).catch(() => {});
    await Deno.remove(rowsFolder(out), { recursive: true }).catch(() => {});
  });
  disposeParameters(parameters);
  disposeParameters(initial);
  disposeWeights(theta);
  return history;
}

/** Tells how many of the people a judge has asked for, judgement after judgement. */
function rounds(
  stage: string,
  people: number,
  requestSize: number,
  onProgress: OnProgress | undefined,
): (people: number) => void {
  const size = Math.min(requestSize, people);
  const total = Math.ceil(people / size) * size;
  let done = 0;
  return (count) => {
    done = done % total + count;
    onProgress?.({ stage, done, total, unit: "people" });
  };
}

/** People asked for in one meta-epoch: all, and those who fill the last request. */
function requestedPeople(people: readonly Person[], { requestSize }: MetaLearnSettings): number {
  return Math.ceil(people.length / requestSize) * requestSize;
}

/** SHA-256 of one image after the other. */
function* hashesOf(data: SplitData, samples: Samples): Generator<string, void> {
  for (const sample of samples) yield hashOf(data, sample);
}
