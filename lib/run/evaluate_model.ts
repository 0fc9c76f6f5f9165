import { joinedSamples } from "../data/packed_samples.ts";
import type { Task } from "../data/sample.ts";
import { samplesOf } from "../data/split.ts";
import { LetheError } from "../error.ts";
import { type Evaluation, MEASURED_PARTS } from "../measure/evaluation.ts";
import { partRows } from "../measure/part_rows.ts";
import { streamEvaluation } from "../measure/streamed_evaluation.ts";
import { partMetrics, tugOfWar } from "../measure/eq7_tug_of_war.ts";
import { type Model, readModel } from "../model/checkpoint.ts";
import { microBatchWithin } from "../model/memory_plan.ts";
import { uploadWeights } from "../model/device_weights.ts";
import { predictEach, Predictor } from "../model/predict.ts";
import { useKernels } from "../tensor/kernels/autotune/kernel_choice.ts";
import { disposeWeights } from "../tensor/weights.ts";
import { oracleNotes } from "./oracle_origin.ts";
import type { OnProgress } from "./progress.ts";
import { openSplit, type SplitData } from "./split_data.ts";
import { openImages, type SplitImages } from "./split_images.ts";
import { otherSplitNotice } from "./trained_split.ts";
import { everyIndex, range } from "../data/loader/image_source.ts";
import { byteTargets } from "../data/loader/stored_source.ts";

/** A model's evaluation on the three parts. */
export type ModelEvaluation = Readonly<Record<typeof MEASURED_PARTS[number], Evaluation>>;

/** Several models' evaluations on one split. */
export interface EvaluationReport {
  /** What the models tell: the metric is mAP for labels, accuracy for classes. */
  readonly task: Task;
  /** In the order of the models asked for. */
  readonly models: readonly ModelEvaluation[];
  /** The oracle, where one was given. */
  readonly retrained?: ModelEvaluation;
  /** Tug-of-War (Eq. 7) of each model against the retrained one, fractions; null where it is undefined. */
  readonly tugOfWar?: readonly (number | null)[];
  /** Parts whose metric is undefined. */
  readonly undefinedParts: readonly typeof MEASURED_PARTS[number][];
}

/** What {@link evaluateModels} needs. */
export interface EvaluateOptions {
  /** SHA-256 of the split, or its file. */
  readonly split: string;
  /** The data set's folder. */
  readonly data: string;
  /** Model folders. */
  readonly models: readonly string[];
  /** Folder of the model retrained without the people to forget. */
  readonly retrained?: string;
  /** Only these labels count towards the metrics; default all. */
  readonly labels?: readonly string[];
  /** Images per pass; default 64, or as many as the memory holds. */
  readonly microBatch?: number | undefined;
  /** Bytes of device memory to keep within. */
  readonly memoryLimit?: number | undefined;
  /** A folder that keeps decoded images. */
  readonly cache?: string | undefined;
  /** Told of the work done. */
  readonly onProgress?: OnProgress | undefined;
  /** Lines for people: what is not told of the oracle's origin. */
  readonly onNotice?: (line: string) => void;
}

/**
 * Metric, loss and per-label metrics on retain, forget and test, and Tug-of-War against the
 * retrained model.
 *
 * @throws UsageError `retrained` was trained with the people to forget
 * @throws LetheError bad input, or a model with other labels than the split
 */
export async function evaluateModels(options: EvaluateOptions): Promise<EvaluationReport> {
  const [report] = await evaluateLabelSets(options, [options.labels]);
  return report;
}

/**
 * {@link evaluateModels} on several sets of labels, from one pass over the images per model.
 *
 * @param labelSets undefined for all labels
 * @returns a report per set
 */
export async function evaluateLabelSets(
  options: Omit<EvaluateOptions, "labels">,
  labelSets: readonly (readonly string[] | undefined)[],
): Promise<EvaluationReport[]> {
  const data = await openSplit(options.split, options.data);
  for (const note of await originNotes(options, data.sha256)) options.onNotice?.(note);
  using images = openImages(data, options.cache, options.onNotice);
  using evaluator = openEvaluator(data, images, options, labelSets);
  const models: ModelEvaluation[][] = [];
  for (const folder of options.models) models.push(await evaluator.evaluate(folder));
  const retrained = options.retrained === undefined
    ? undefined
    : await evaluator.evaluate(options.retrained);
  const { task } = data.dataset;
  return labelSets.map((_, i) => reportOf(task, models.map((model) => model[i]), retrained?.[i]));
}

/** What is to be known of where the models come from. @throws UsageError the oracle can be none */
async function originNotes(
  { models, retrained }: Pick<EvaluateOptions, "models" | "retrained">,
  split: string,
): Promise<string[]> {
  const so = "it may have learned from images of test, and not from those of retain and forget";
  const others = await Promise.all(models.map((model) => otherSplitNotice(model, so, split)));
  return [
    ...others.filter((note) => note !== null),
    ...retrained === undefined ? [] : await oracleNotes({ retrained, models, split }),
  ];
}

function reportOf(
  task: Task,
  models: readonly ModelEvaluation[],
  retrained: ModelEvaluation | undefined,
): EvaluationReport {
  const undefinedParts = MEASURED_PARTS.filter((part) =>
    models.some((model) => model[part].metric === null)
  );
  if (!retrained) return { task, models, undefinedParts };
  const oracle = partMetrics(retrained);
  return {
    task,
    models,
    retrained,
    undefinedParts,
    tugOfWar: models.map((model) => {
      const metrics = partMetrics(model);
      return metrics && oracle && tugOfWar(metrics, oracle);
    }),
  };
}

/**
 * Evaluates model after model on images that another thread loads, once per input size if they fit; what
 * models of one shape do is recorded once.
 */
function openEvaluator(
  data: SplitData,
  images: SplitImages,
  options: Omit<EvaluateOptions, "labels">,
  labelSets: readonly (readonly string[] | undefined)[],
) {
  const { onProgress, memoryLimit } = options;
  const parts = MEASURED_PARTS.map((part) => ({
    part,
    samples: samplesOf(data.split, data.dataset, part),
  }));
  const everyone = joinedSamples(parts.map(({ samples }) => samples));
  let recorded: { readonly shape: string; readonly predictor: Predictor } | undefined;
  const predictorOf = (config: Model["config"]): Predictor => {
    const { imageSize, patchSize, dim, depth, heads, layerNormEps, labels } = config;
    const shape = [imageSize, patchSize, dim, depth, heads, layerNormEps, labels.length].join();
    if (recorded?.shape !== shape) {
      recorded?.predictor.dispose();
      recorded = { shape, predictor: new Predictor(config) };
    }
    return recorded.predictor;
  };
  const evaluate = async (folder: string): Promise<ModelEvaluation[]> => {
    const { config, theta: host, kernels } = await readModel(folder);
    useKernels(kernels);
    checkLabels(config.labels, data, folder);
    const microBatch = options.microBatch ??
      microBatchWithin(config, config.labels.length, "predict", 64, memoryLimit);
    const everything = images.source(everyone, config);
    const theta = uploadWeights(host);
    const width = config.labels.length;
    const choices = labelSets.map((labels) => placesOf(labels, config));
    const results = labelSets.map((): Partial<ModelEvaluation> => ({}));
    using measured = new DisposableStack();
    // As the images come: of all of a part's logits mAP needs one label's at a time.
    const evaluations = parts.map(({ part, samples }) => ({
      ...{ part, samples, left: samples.length },
      of: measured.use(streamEvaluation(config.task, config.labels, samples.length, choices)),
    }));
    const finish = ({ part, of }: typeof evaluations[number]) => {
      of.finish().forEach((each, i) => results[i] = { ...results[i], [part]: each });
      of[Symbol.dispose]();
    };
    evaluations.filter(({ left }) => left === 0).forEach(finish);
    const shared = partRows(evaluations.map((part) => [part, part.left]), width);
    let done = 0;
    await predictEach(
      theta,
      config,
      everything,
      everyIndex(everyone.length),
      microBatch,
      (first, images, logits) => {
        for (const { part, from, images, rows } of shared(first, logits)) {
          const samples = range(images).map((i) => part.samples.at(from + i)!);
          part.of.add(rows, byteTargets(samples, config.task, width));
          part.left -= images;
          if (part.left === 0) finish(part);
        }
        done += images;
        const total = everyone.length;
        onProgress?.({ stage: `evaluate ${folder}`, done, total, unit: "images" });
      },
      "logits",
      predictorOf(config),
    );
    disposeWeights(theta);
    return results as ModelEvaluation[];
  };
  return { evaluate, [Symbol.dispose]: () => recorded?.predictor.dispose() };
}

function checkLabels(labels: readonly string[], { dataset }: SplitData, folder: string): void {
  if (labels.join("\n") === dataset.labels.join("\n")) return;
  throw new LetheError(
    `${folder} predicts ${labels.length} labels (${firstOf(labels)})`,
    `the split has ${dataset.labels.length} (${firstOf(dataset.labels)})`,
    "name a model that was trained on this split",
  );
}

/** The places of some labels; of all without a choice, and for classes. */
function placesOf(
  chosen: readonly string[] | undefined,
  { labels, task }: Model["config"],
): readonly number[] {
  if (chosen === undefined || task === "classes") return range(labels.length);
  return chosen.map((label) => {
    const index = labels.indexOf(label);
    if (index >= 0) return index;
    throw new LetheError(
      `the model has no label ${label}`,
      `it has ${labels.join(", ")}`,
      "choose among them",
    );
  });
}

/** The first three labels, for an error. */
function firstOf(labels: readonly string[]): string {
  return [...labels.slice(0, 3), ...(labels.length > 3 ? [".."] : [])].join(", ");
}
