import { sha256Hex } from "../files/sha256.ts";
import { samplesOf } from "../data/split.ts";
import { refuseExisting, removeUnfinished } from "../files/write_whole.ts";
import { finishBeforeExit } from "../files/finish_before_exit.ts";
import { isDefined, taskMetric } from "../measure/evaluation.ts";
import { writeModel } from "../model/checkpoint.ts";
import { presetConfig, type PresetName, PRESETS } from "../model/config.ts";
import { downloadWeights } from "../model/device_weights.ts";
import { microBatchWithin } from "../model/memory_plan.ts";
import { predict, Predictor } from "../model/predict.ts";
import { readPretrained } from "../model/pretrained/read_pretrained.ts";
import type { TrainingRecipe } from "../model/recipes.ts";
import { encodeSafetensors } from "../model/encode_safetensors.ts";
import { loadState, saveState } from "../model/saved_state.ts";
import { type Epoch, train, type TrainingState } from "../model/train.ts";
import { chooseKernels } from "../tensor/kernels/autotune/choose_kernels.ts";
import type { Device } from "../tensor/device.ts";
import { disposeWeights } from "../tensor/weights.ts";
import { kernelProgress, type OnProgress } from "./progress.ts";
import { checkOracleStart } from "./oracle_origin.ts";
import { otherSplitNotice } from "./trained_split.ts";
import { openSplit } from "./split_data.ts";
import { openImages } from "./split_images.ts";
import { choosePreset, initialTheta, startConfig } from "./training/start_weights.ts";
import { openUpdatesLog } from "./training/updates_log.ts";
import { range } from "../data/loader/image_source.ts";
import { byteTargets } from "../data/loader/stored_source.ts";

/** What {@link trainModel} needs. */
export interface TrainModelOptions {
  /** What computes. */
  readonly device: Device;
  /** split.json */
  readonly split: string;
  /** The data set's folder. */
  readonly data: string;
  /** Model folder to make; it must not exist. */
  readonly out: string;
  /** Size of the network. */
  readonly preset?: PresetName | undefined;
  /** How to train. */
  readonly recipe: TrainingRecipe;
  /** Of all that is drawn. */
  readonly seed: number;
  /** Trains the retrained oracle: the people to forget are left out. */
  readonly withoutForget: boolean;
  /** Further people of the training part who are left out: a fold of them. */
  readonly leaveOut?: ReadonlySet<string>;
  /** Weights to start from, Lethe's or published ones; the head is drawn anew when labels differ. */
  readonly init?: string;
  /** Logs what each person's images do to the weights, kept at a rank, null for all; absent: nothing. */
  readonly logUpdates?: number | null;
  /** Images per pass; default the recipe's batch, or as many as the memory holds. */
  readonly microBatch?: number | undefined;
  /** Bytes of device memory to keep within. */
  readonly memoryLimit?: number | undefined;
  /** A folder that keeps decoded images. */
  readonly cache?: string | undefined;
  /** Told of the work done. */
  readonly onProgress?: OnProgress | undefined;
  /** Lines for people, such as after which epoch a stopped run goes on. */
  readonly onNotice?: (line: string) => void;
}

/** Validation images that are loaded while the first steps are computed. */
const FIRST_VALIDATION = 2048;

/** Where a run's state lies until it is done. */
export function trainingStatePath(out: string): string {
  return `${out.replace(/[/\\]+$/, "")}.training`;
}

/**
 * Trains f_theta on the train part of a split (Sec. 3.3) and writes a model folder with weights,
 * config and `history.json`. After each epoch the state is saved beside `out`; the same call goes on
 * from it and ends with the same weights.
 *
 * With `logUpdates` the folder {@link updatesFolder} holds what each person's images did to the
 * weights, whose bits are the same without.
 *
 * @throws LetheError bad input, or `out` exists
 */
export async function trainModel(options: TrainModelOptions): Promise<readonly Epoch[]> {
  const { device, out, recipe, seed, withoutForget, onProgress } = options;
  await refuseExisting(out);
  const data = await openSplit(options.split, options.data);
  const { task, labels } = data.dataset;
  if (withoutForget && options.init !== undefined) {
    await checkOracleStart(options.init, data.sha256);
  }
  const notice = options.init === undefined ? null : await otherSplitNotice(
    options.init,
    "it may have learned from this one's test people" +
      (withoutForget ? ", and from those to forget" : ""),
    data.sha256,
  );
  if (notice !== null) options.onNotice?.(notice);
  const start = options.init === undefined ? null : await readPretrained(options.init);
  const preset = options.preset ?? await choosePreset(data, start, withoutForget, options.onNotice);
  const config = startConfig(presetConfig(PRESETS[preset], task, labels), start);
  const { leaveOut } = options;
  const part = samplesOf(data.split, data.dataset, withoutForget ? "retain" : "train");
  const samples = leaveOut ? part.filter(({ identity }) => !leaveOut.has(identity)) : part;
  const val = samplesOf(data.split, data.dataset, "val");
  const storedSide = Math.round(recipe.storedScale * config.imageSize);
  using images = openImages(data, options.cache, options.onNotice);
  const valSource = images.source(val, config);
  valSource.warm?.(range(Math.min(val.length, FIRST_VALIDATION)));
  const valTargets = byteTargets(val, task, labels.length);
  const judged = isDefined(task, valTargets);
  // Where validation says nothing, no epoch is the best.
  const select = judged ? recipe.select : "last";
  const microBatch = options.microBatch ??
    microBatchWithin(config, labels.length, "train", recipe.batchSize, options.memoryLimit);

  const initial = initialTheta(config, seed, start);
  const fingerprint = JSON.stringify({
    recipe,
    seed,
    withoutForget,
    ...(leaveOut ? { leaveOut: [...leaveOut].sort() } : {}),
    ...(options.logUpdates === undefined ? {} : { logUpdates: true }),
    config,
    microBatch,
    split: data.sha256,
    // Its content, not its path: another model may lie there by now.
    init: options.init === undefined
      ? null
      : sha256Hex(encodeSafetensors(await downloadWeights(initial))),
    device: device.adapter,
    precision: device.precision,
  });
  const statePath = trainingStatePath(out);
  for (const path of [out, statePath]) await removeUnfinished(path);
  const saved = await loadState<{ history: Epoch[]; steps: number }>(statePath, fingerprint);
  const epochsDone = saved?.record.history.length ?? 0;
  const logged = options.logUpdates === undefined ? null : await openUpdatesLog(
    { recipe, task, shape: config, microBatch },
    initial,
    samples,
    statePath,
    epochsDone,
  );
  if (saved) options.onNotice?.(`${statePath}: goes on after epoch ${epochsDone}`);
  let done = epochsDone * samples.length;
  const total = recipe.epochs * samples.length;
  let last = "";
  let [waited, begun] = [0, performance.now()];

  const kernels = chooseKernels(device, undefined, kernelProgress(onProgress));
  const predictor = new Predictor(config);
  const { theta, history } = await train(
    {
      recipe: { ...recipe, select },
      task,
      shape: config,
      seed,
      images: samples.length,
      source: (random) =>
        images.source(samples, config, {
          side: storedSide,
          varied: { augmentation: recipe.augmentation, random },
        }),
      validate: async (weights) => {
        const all = range(val.length);
        const { logits } = await predict(
          weights,
          config,
          valSource,
          all,
          microBatch,
          undefined,
          "logits",
          predictor,
        );
        return judged ? taskMetric(task, logits, valTargets, labels.length) : NaN;
      },
      microBatch,
      log: logged?.log,
      onFirstStep: () => kernels.settle(),
      onInput: (milliseconds) => waited += milliseconds,
      onImages(count, epoch, loss) {
        done += count;
        const note = `epoch ${epoch}/${recipe.epochs}, loss ${loss.toFixed(4)}${last}`;
        onProgress?.({ stage: "train", done, total, unit: "images", note });
      },
      async onEpoch(state) {
        const share = 100 * waited / (performance.now() - begun);
        [waited, begun] = [0, performance.now()];
        const { metric } = state.history.at(-1)!;
        last = `, val ${judged ? (100 * metric).toFixed(1) : "-"}, ` +
          `waited for input ${share.toFixed(1)} %`;
        const { history, steps, theta, best, moments } = state;
        await finishBeforeExit(async () => {
          await logged?.save(history.length);
          await saveState(statePath, fingerprint, {
            sets: { theta, best, moments },
            record: { history, steps },
          });
          await logged?.keep([history.length, selectedEpoch(history, select)]);
        });
      },
    },
    initial,
    saved ? ({ ...saved.sets, ...saved.record } as unknown as TrainingState) : undefined,
  );
  disposeWeights(initial);
  predictor.dispose();
  const text = JSON.stringify(
    {
      ...{ recipe, seed, withoutForget, split: data.sha256 },
      ...{ device: device.adapter, precision: device.precision, history },
    },
    null,
    2,
  );
  const model = {
    config,
    theta: await downloadWeights(theta),
    ...(kernels.choice ? { kernels: kernels.choice } : {}),
  };
  disposeWeights(theta);
  const chosen = selectedEpoch(history, select);
  if (chosen !== history.length) await logged?.load(chosen);
  const extra = new Map([["history.json", new TextEncoder().encode(text + "\n")]]);
  // The state goes only when the model is there, and then it goes.
  await finishBeforeExit(async () => {
    await logged?.finish(out, model, data.sha256, options.logUpdates!);
    await writeModel(out, model, extra);
    await Deno.remove(statePath).catch(() => {});
  });
  return history;
}

/** The epoch whose weights are kept. */
function selectedEpoch(history: readonly Epoch[], select: TrainingRecipe["select"]): number {
  if (select === "last") return history.length;
  return history.reduce((a, b) => b.metric > a.metric ? b : a).epoch;
}
