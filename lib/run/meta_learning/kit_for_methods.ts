import type { ImageFeed } from "../../data/loader/image_source.ts";
import type { Model } from "../../model/checkpoint.ts";
import { downloadWeights } from "../../model/device_weights.ts";
import type { StepRange } from "../../model/kit/kit_manifest.ts";
import type { KitStatistics, StatisticsRecord } from "../../model/kit/kit_statistics.ts";
import type { KitMethodSettings } from "../../model/kit/method_settings.ts";
import type { Weights } from "../../tensor/weights.ts";
import { IMPORTANCE_BATCH } from "../../unlearn/importance_batch.ts";
import {
  BASELINES,
  methodOf,
  type MethodSettings,
  needsData,
  publishedLayout,
  publishedSettings,
} from "../../unlearn/methods.ts";
import type { Method } from "../../unlearn/methods/method.ts";
import {
  disposeStatistics,
  type TrainingStatistics,
  trainingStatistics,
} from "../../unlearn/training_statistics.ts";
import type { StatisticsChoice } from "../../unlearn/statistics_choice.ts";
import type { MethodSettingsChoice } from "./settings.ts";
import { chooseSettings, type ChosenSettings } from "../choose_settings.ts";
import { methodRange } from "./method_ranges.ts";
import type { Simulated } from "./step_ranges.ts";
import type { OnProgress } from "../progress.ts";
import type { SplitData } from "../split_data.ts";
import type { SplitImages } from "../split_images.ts";

/** The trained model, its data set and its training images, while they are there. */
export interface TrainedOn {
  readonly model: Model;
  /** The model's weights on the device. */
  readonly theta: Weights;
  readonly microBatch: number;
  readonly data: SplitData;
  /** Training and validation images. */
  readonly images: SplitImages;
  readonly source: ImageFeed;
  /** Training images of `source`, in the order in which they are taken in batches. */
  readonly trained: readonly number[];
  readonly seed: number;
  /** Whose simulated requests show how far each method's steps go. */
  readonly simulated: Simulated;
  /** Validation images that each simulated request is judged on. */
  readonly unseenImages?: number;
  readonly onProgress?: OnProgress | undefined;
}

/** What a kit holds for the methods that MetaUnlearn is compared with. */
export interface KitForMethods {
  readonly methods: KitMethodSettings;
  /** Null for none. */
  readonly statistics: { readonly files: KitStatistics; readonly record: StatisticsRecord } | null;
  /** How each candidate fared, for the record. */
  readonly trials: Readonly<Record<string, ChosenSettings["trials"]>>;
  /** How far each method's steps went on simulated requests, where they could be tried. */
  readonly stepRanges: Readonly<Record<string, StepRange>>;
}

/**
 * Computes the statistics that SSD and PGU need, and finds the settings of SSD, PGU and JiT: the
 * published ones, or those of its candidates that do best on simulated requests of people who stay
 * ({@link chooseSettings}); and how far their steps then go.
 */
export async function kitForMethods(
  statistics: StatisticsChoice,
  settings: MethodSettingsChoice,
  trainedOn: TrainedOn,
): Promise<KitForMethods> {
  const { model: { config }, theta, microBatch, source, trained, onProgress } = trainedOn;
  const total = { all: 2, importances: 1, none: 0 }[statistics] * trained.length;
  let done = 0;
  const onImages = (count: number) => {
    done += count;
    onProgress?.({ stage: "statistics for SSD and PGU", done, total, unit: "images" });
  };
  const backbone = { shape: config, microBatch };
  const { task } = config;
  const computed = await trainingStatistics(
    statistics,
    theta,
    backbone,
    task,
    source,
    trained,
    onImages,
  );
  const found = await settingsFor(settings, computed, trainedOn);
  const stepRanges = await rangesOf(found.methods, computed, trainedOn);
  const { importances, covariances } = computed;
  const files = {
    ...(importances ? { importances: await downloadWeights(importances) } : {}),
    ...(covariances ? { covariances: await downloadWeights(covariances) } : {}),
  };
  disposeStatistics(computed);
  const record = { images: trained.length, batchSize: IMPORTANCE_BATCH, stale: false };
  return { ...found, stepRanges, statistics: statistics === "none" ? null : { files, record } };
}

/** Every method that the statistics suffice for. */
async function rangesOf(
  settings: KitMethodSettings,
  statistics: TrainingStatistics,
  { model: { config }, microBatch, simulated, onProgress }: TrainedOn,
): Promise<Readonly<Record<string, StepRange>>> {
  const methods = fromKit().filter((method) => suffice(statistics, method));
  const ranges: Record<string, StepRange> = {};
  for (const [i, method] of methods.entries()) {
    const own = settings[method.name] as MethodSettings;
    const range = await methodRange(method, own, statistics, simulated, { config, microBatch });
    if (range) ranges[method.name] = range;
    onProgress?.({ stage: "step lengths", done: i + 1, total: methods.length, unit: "methods" });
  }
  return ranges;
}

/** The methods whose settings a kit holds. */
const fromKit = () => BASELINES.map(methodOf).filter((method) => !needsData(method));

/** Whether there is what a method needs of the training images. */
function suffice(statistics: TrainingStatistics, { needs }: Method): boolean {
  return (["importances", "covariances"] as const)
    .every((name) => !needs.includes(name) || statistics[name] !== undefined);
}

async function settingsFor(
  choice: MethodSettingsChoice,
  statistics: TrainingStatistics,
  { model, data, images, seed, unseenImages, onProgress }: TrainedOn,
): Promise<Pick<KitForMethods, "methods" | "trials">> {
  const { dataset: { name }, forgetCount } = data.split;
  const methods = fromKit();
  const trials: Record<string, ChosenSettings["trials"]> = {};
  const best = async (method: Method): Promise<MethodSettings> => {
    if (choice === "published" || !suffice(statistics, method)) {
      return publishedSettings(method, name, forgetCount);
    }
    const { candidates } = method;
    const chosen = await chooseSettings(method, candidates, model, data, images, statistics, seed, {
      ...(unseenImages === undefined ? {} : { unseenImages }),
      onRequest: (done, total) =>
        onProgress?.({
          stage: `choose ${method.name}'s settings`,
          done,
          total,
          unit: "simulated requests",
        }),
    });
    trials[method.name] = chosen.trials;
    return chosen.chosen;
  };
  const found: Record<string, MethodSettings> = {};
  for (const method of methods) found[method.name] = await best(method);
  const names = Object.keys(trials);
  const from = `published for ${publishedLayout(name)} and ${forgetCount} people to forget`;
  const source = names.length === 0
    ? from
    : `${names.join(", ")} chosen on simulated requests of people who stay` +
      (names.length < methods.length ? `; the others ${from}` : "");
  return { methods: { source, ...found }, trials };
}
