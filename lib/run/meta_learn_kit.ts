import * as tf from "@tensorflow/tfjs";
import type { Augmentation } from "../data/augment.ts";
import type { Sample } from "../data/sample.ts";
import { samplesOf } from "../data/split.ts";
import { storedSource } from "../data/stored_source.ts";
import { sha256Hex } from "../data/sha256.ts";
import { refuseExisting, removeUnfinished } from "../data/whole.ts";
import { LetheError, UsageError } from "../error.ts";
import { taskMetric } from "../measure/evaluation.ts";
import { labelLosses, meanLoss } from "../measure/loss.ts";
import { readModel } from "../model/checkpoint.ts";
import { microBatchWithin } from "../model/memory_plan.ts";
import { encodeSafetensors } from "../model/safetensors.ts";
import { downloadWeights, uploadWeights } from "../model/device_weights.ts";
import {
  identityHash,
  identityKeyPath,
  newIdentityKey,
  readIdentityKey,
  writeIdentityKey,
} from "../model/identity_key.ts";
import { writeKit } from "../model/kit.ts";
import { trainingImageHash } from "../model/training_images.ts";
import { initialMetaLoss } from "../model/meta_loss.ts";
import { dependsOnTheta, type MetaLossInput } from "../model/meta_loss_inputs.ts";
import { predict } from "../model/predict.ts";
import { loadState, saveState } from "../model/saved_state.ts";
import type { Device } from "../tensor/device.ts";
import { Random } from "../tensor/random.ts";
import { disposeWeights, mapWeights, type Weights } from "../tensor/weights.ts";
import { ascentStart } from "../unlearn/ascent_start.ts";
import type { AuxiliaryForm } from "../unlearn/auxiliary_objective.ts";
import { heldOutRequests, holdOut } from "../unlearn/held_out.ts";
import {
  disposeParameters,
  type MetaEpoch,
  metaLearn,
  type MetaLearningRecipe,
  type MetaLearningState,
  type MetaParameters,
} from "../unlearn/meta_learn.ts";
import type { MetaObjective } from "../unlearn/meta_gradient.ts";
import type { Person } from "../unlearn/simulate_requests.ts";
import type { StatisticsChoice } from "../unlearn/training_statistics.ts";
import { withRows } from "../unlearn/unlearn.ts";
import { kitForMethods, type MethodSettingsChoice } from "./kit_for_methods.ts";
import type { OnProgress } from "./progress.ts";
import { loadSamples, openSplit } from "./split_data.ts";
import { inputFormat } from "../model/input_format.ts";
import { range } from "../data/image_source.ts";

/** All of meta-learning's settings; a kit records them. */
export interface MetaLearnSettings extends MetaLearningRecipe {
  /** eta. */
  readonly metaLearningRate: number;
  readonly inputs: readonly MetaLossInput[];
  readonly form: AuxiliaryForm;
  /** w of the keep term. */
  readonly keepWeight: number;
  readonly hidden: number;
  readonly embeddingSize: number;
  /** phi at first: random (the paper), or fitted to gradient ascent on the task loss. */
  readonly start: "random" | "ascent";
  /** Beyond the paper: vary simulated support images by {@link SUPPORT_VARIATION}. */
  readonly varySupport: boolean;
  /** Share of the training people kept out of meta-training, to pick the epoch by. */
  readonly holdOut: number;
}

/** What {@link metaLearnKit} needs. */
export interface MetaLearnOptions {
  readonly device: Device;
  /** Folder of the trained model. */
  readonly model: string;
  readonly split: string;
  readonly data: string;
  /** Kit folder to make; it must not exist. */
  readonly out: string;
  /** A file with the key to use; default: a new one, written beside the kit. */
  readonly identityKey?: string;
  readonly settings: MetaLearnSettings;
  readonly seed: number;
  /** Images per pass through the backbone; default 64, or as many as the memory holds. */
  readonly microBatch?: number;
  /** Bytes of device memory to keep within. */
  readonly memoryLimit?: number;
  /** What SSD and PGU will need of the training images; default all. PGU's part is the largest. */
  readonly statistics?: StatisticsChoice;
  /** Where the settings of SSD, PGU and JiT come from; default published. */
  readonly methodSettings?: MethodSettingsChoice;
  /** A folder that keeps decoded images. */
  readonly cache?: string;
  readonly onProgress?: OnProgress;
  readonly onEpoch?: (epoch: MetaEpoch) => void;
}

/** How simulated support images are varied: enough that theta meets them as new, still the person. */
export const SUPPORT_VARIATION: Augmentation = {
  crop: { scale: [0.85, 1], ratio: [0.9, 1 / 0.9] },
  flip: true,
};

/** Images of meta-trained people that held-out requests are judged on. */
const RETAIN_SAMPLE = 256;

/** Groups samples by identity; rows follow the sorted identities. */
function peopleOf(samples: readonly Sample[], offset: number) {
  const images = new Map<string, number[]>();
  samples.forEach(({ identity }, i) => {
    images.set(identity, [...images.get(identity) ?? [], offset + i]);
  });
  const identities = [...images.keys()].sort();
  const people: Person[] = identities.map((identity, row) => ({
    row,
    images: images.get(identity)!,
  }));
  return { identities, people };
}

/** @throws UsageError inputs that a meta-loss cannot learn from, before anything is read */
function checkInputs(inputs: readonly MetaLossInput[]): void {
  const given = `--inputs ${inputs.join(",")}`;
  const twice = inputs.find((input, i) => inputs.indexOf(input) < i);
  if (twice) throw new UsageError(given, "no input is listed twice", `drop one ${twice}`);
  if (!dependsOnTheta(inputs)) {
    throw new UsageError(
      given,
      "without the model's logits and features the meta-loss cannot tell how to change the model",
      "add logits, features or both",
    );
  }
}

/** Where a run's state lies until it is done. */
export function metaLearningStatePath(out: string): string {
  return `${out.replace(/[/\\]+$/, "")}.meta-learning`;
}

/**
 * Learns the meta-loss (Algorithm 1) on a split's train and validation people and writes the kit:
 * all that unlearning needs, so that the data set can be deleted. After each epoch the state is saved
 * beside `out`; the same call goes on from it and ends with the same kit.
 *
 * @throws UsageError `inputs` has neither logits nor features, or one input twice
 * @throws LetheError bad input, `out` exists, or too few people for N_S
 */
export async function metaLearnKit(options: MetaLearnOptions): Promise<readonly MetaEpoch[]> {
  const { device, out, settings, seed, onProgress } = options;
  checkInputs(settings.inputs);
  await refuseExisting(out);
  const givenKey = options.identityKey && await readIdentityKey(options.identityKey);
  if (!givenKey) await refuseExisting(identityKeyPath(out));
  const data = await openSplit(options.split, options.data);
  const model = await readModel(options.model);
  const { config } = model;
  const microBatch = options.microBatch ??
    microBatchWithin(config, config.labels.length, "meta-learn", 64, options.memoryLimit);
  if (config.labels.join("\n") !== data.dataset.labels.join("\n")) {
    throw new LetheError(
      `${options.model} predicts other labels than the split has`,
      "the meta-loss is learned on the model's own training set",
      "name the model and the split that belong together",
    );
  }
  if (settings.form.terms === "scrub" && settings.keep !== "none") {
    throw new LetheError(
      `--terms scrub with --keep ${settings.keep}`,
      "SCRUB's loss holds the validation people itself",
      "use --keep none with it",
    );
  }
  if (settings.form.align === "labels" && config.task === "classes") {
    throw new LetheError(
      "--align labels",
      "classes share one loss",
      "use --align mean for a classifier",
    );
  }
  const train = samplesOf(data.split, data.dataset, "train");
  const val = samplesOf(data.split, data.dataset, "val");
  const samples = [...train, ...val];
  const images = await loadSamples(data, samples, config.imageSize, onProgress, options.cache);
  const source = storedSource(images, samples, inputFormat(config));
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

  const theta = uploadWeights(model.theta);
  const { task, labels } = config;
  const valIndices = range(val.length).map((i) => train.length + i);
  // `keep` compares with theta's own losses on its images; without it only Dv's are needed.
  const cached = settings.keep === "retain" ? range(samples.length) : valIndices;
  const logits = await cacheLogits(theta, cached);
  const measure = (rows: Float32Array, indices: readonly number[]) => {
    const targets = source.targets(indices);
    return {
      loss: meanLoss(task, rows, targets, labels.length),
      metric: taskMetric(task, rows, targets, labels.length),
      ...(task === "multi-label" ? { labelLosses: labelLosses(rows, targets, labels.length) } : {}),
    };
  };
  const objective: MetaObjective = {
    metaLearningRate: settings.metaLearningRate,
    inputs: settings.inputs,
    shape: config,
    microBatch,
    form: settings.form,
    keepWeight: settings.keepWeight,
    task,
    source,
    measure,
    original: (indices) => measure(logits(indices), indices),
  };

  async function cacheLogits(weights: Weights, indices: readonly number[]) {
    let done = 0;
    const { logits } = await predict(weights, config, source, indices, microBatch, (count) => {
      done += count;
      const total = indices.length;
      onProgress?.({ stage: "cache the original model's losses", done, total, unit: "images" });
    });
    const width = config.labels.length;
    const place = new Map(indices.map((index, i) => [index, i]));
    return (wanted: readonly number[]) => {
      const rows = new Float32Array(wanted.length * width);
      wanted.forEach((index, i) => {
        const from = place.get(index)! * width;
        rows.set(logits.subarray(from, from + width), i * width);
      });
      return rows;
    };
  }

  const variedSource = (random: Random) =>
    storedSource(images, samples, inputFormat(config), { augmentation: SUPPORT_VARIATION, random });
  const judge = heldOut.length === 0 ? undefined : await heldOutRequests(theta, objective, {
    people: heldOut,
    retain: random.fork("retain sample")
      .shuffle(trained.flatMap((person) => person.images)).slice(0, RETAIN_SAMPLE),
    unseen,
    requestSize: settings.requestSize,
    ...(settings.varySupport
      ? { supportSource: () => variedSource(random.fork("judge support")) }
      : {}),
  }, random.fork("judge"));

  let phi = initialMetaLoss({
    inputs: settings.inputs,
    labels: labels.length,
    dim: config.dim,
    identities: identities.length,
    embeddingSize: settings.embeddingSize,
    hidden: settings.hidden,
  }, random.fork("initial phi"));
  if (settings.start === "ascent") {
    const shown = trained.flatMap(({ row, images }) => images.map((image) => ({ row, image })));
    const seen = shown.map(({ image }) => image);
    const fresh = phi;
    phi = await ascentStart(
      fresh,
      settings.inputs,
      {
        ...await predict(theta, config, source, seen, microBatch),
        task,
        labels: labels.length,
        dim: config.dim,
        targets: source.targets(seen),
        rows: shown.map(({ row }) => row),
      },
      random.fork("ascent start"),
      (done, total) => {
        onProgress?.({ stage: "start from gradient ascent", done, total, unit: "steps" });
      },
    );
    disposeWeights(fresh);
  }
  const initial: MetaParameters = {
    phi,
    ...(settings.stepSizeLearningRate === null
      ? {}
      : { logStepSizes: mapWeights(theta, () => tf.scalar(0)) }),
  };
  const fingerprint = JSON.stringify({
    settings,
    seed,
    microBatch,
    split: data.sha256,
    // Their content, not their path: another model may lie there by now.
    model: sha256Hex(encodeSafetensors(model.theta)),
    device: device.adapter,
  });
  const statePath = metaLearningStatePath(out);
  for (const path of [out, statePath]) await removeUnfinished(path);
  const saved = await loadState<{ history: MetaEpoch[]; steps: number }>(statePath, fingerprint);
  let done = (saved?.record.history.length ?? 0) * requestedPeople(trained, settings);
  const total = settings.epochs * requestedPeople(trained, settings);

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
      onRequest(count, epoch, value) {
        done += count;
        const note = `epoch ${epoch}/${settings.epochs}, A ${value.toFixed(4)}`;
        onProgress?.({ stage: "meta-learn", done, total, unit: "people", note });
      },
      async onEpoch(state) {
        options.onEpoch?.(state.history.at(-1)!);
        await saveState(statePath, fingerprint, {
          sets: {
            phi: state.parameters.phi,
            logStepSizes: state.parameters.logStepSizes ?? {},
            bestPhi: state.best.phi,
            bestLogStepSizes: state.best.logStepSizes ?? {},
            moments: state.moments,
            stepSizeMoments: state.stepSizeMoments,
          },
          record: { history: state.history, steps: state.steps },
        });
      },
    },
    theta,
    initial,
    saved ? restored(saved.sets, saved.record) : undefined,
  );

  const { methods, statistics, trials } = await kitForMethods(
    options.statistics ?? "all",
    options.methodSettings ?? "published",
    {
      ...{ model, theta, microBatch, data, images, source, seed },
      // Batches of one person's images would not be like the training set.
      trained: random.fork("statistics").shuffle(range(train.length)),
      ...(onProgress ? { onProgress } : {}),
    },
  );
  const key = givenKey ?? newIdentityKey();
  // Before the kit: a kit without its key could name nobody.
  if (!givenKey) await writeIdentityKey(identityKeyPath(out), key);
  const { logStepSizes } = parameters;
  // Rows in the order of names would tell whoever knows the names which row is whose.
  const hashes = identities.map((identity) => identityHash(key, identity));
  const order = range(hashes.length).sort((a, b) => hashes[a] < hashes[b] ? -1 : 1);
  const ordered = withRows(parameters.phi, order);
  const imageHashes = samples.map(({ file }) => trainingImageHash(key, data.split.hashes[file]));
  await writeKit(out, {
    model,
    phi: await downloadWeights(ordered),
    trainingImages: [...new Set(imageHashes)].sort(),
    ...(logStepSizes ? { logStepSizes: await downloadWeights(logStepSizes) } : {}),
    ...(statistics ? { statistics: statistics.files } : {}),
    manifest: {
      generation: 0,
      parent: null,
      unlearning: {
        metaLearningRate: settings.metaLearningRate,
        requestSize: settings.requestSize,
        inputs: settings.inputs,
        stepSizes: logStepSizes ? "learned" : "global",
      },
      methods,
      ...(statistics ? { statistics: statistics.record } : {}),
      metaLoss: { hidden: settings.hidden, embeddingSize: settings.embeddingSize },
      identities: order.map((row) => hashes[row]),
      forgotten: [],
      record: {
        ...{ settings, seed, microBatch, device: device.adapter, split: data.sha256, history },
        ...(Object.keys(trials).length === 0 ? {} : { trials }),
      },
    },
  });
  disposeWeights(ordered);
  disposeParameters(parameters);
  disposeParameters(initial);
  disposeWeights(theta);
  await Deno.remove(statePath).catch(() => {});
  return history;
}

/** People asked for in one meta-epoch: all, and those who fill the last request. */
function requestedPeople(people: readonly Person[], { requestSize }: MetaLearnSettings): number {
  return Math.ceil(people.length / requestSize) * requestSize;
}

function restored(
  sets: Readonly<Record<string, Weights>>,
  record: { history: MetaEpoch[]; steps: number },
): MetaLearningState {
  const parameters = (phi: string, sizes: string): MetaParameters => ({
    phi: sets[phi],
    ...(sets[sizes] ? { logStepSizes: sets[sizes] } : {}),
  });
  return {
    ...record,
    parameters: parameters("phi", "logStepSizes"),
    best: parameters("bestPhi", "bestLogStepSizes"),
    moments: sets.moments ?? {},
    stepSizeMoments: sets.stepSizeMoments ?? {},
  };
}
