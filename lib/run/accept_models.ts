import { openInput } from "../data/loader/input_thread.ts";
import { range } from "../data/loader/image_source.ts";
import { streamedSource } from "../data/loader/streamed_source.ts";
import { openDataset } from "../data/open_dataset.ts";
import type { Dataset, DatasetName, Sample, Samples } from "../data/sample.ts";
import type { IdentityPart, Split } from "../data/split.ts";
import { readSplit, splitHash } from "../data/split_file.ts";
import { LetheError } from "../error.ts";
import { type BeforeAfter, compareBeforeAfter } from "../measure/before_after.ts";
import { readModel } from "../model/checkpoint.ts";
import type { ModelConfig } from "../model/config.ts";
import { uploadWeights } from "../model/device_weights.ts";
import { inputFormat, storedForm } from "../model/input_format.ts";
import { microBatchWithin } from "../model/memory_plan.ts";
import { predict } from "../model/predict.ts";
import { Random } from "../random.ts";
import { useKernels } from "../tensor/kernels/autotune/kernel_choice.ts";
import { disposeWeights } from "../tensor/weights.ts";
import type { OnProgress } from "./progress.ts";
import { otherSplitNotice } from "./trained_split.ts";

/** What {@link acceptModels} needs. */
export interface AcceptOptions {
  /** Model folders: as it served until now, and as it is to serve. */
  readonly before: string;
  readonly after: string;
  /** Folder of labelled images. */
  readonly images: string;
  readonly layout: DatasetName;
  /** A split whose parts tell which of the images count; support images never do. */
  readonly split?: { readonly file: string; readonly parts: readonly IdentityPart[] };
  readonly seed: number;
  readonly microBatch?: number | undefined;
  readonly memoryLimit?: number | undefined;
  readonly onProgress?: OnProgress | undefined;
  /** Lines for people: that a model was trained on another split. */
  readonly onNotice?: (line: string) => void;
}

/** Both models on the images that count. */
export interface Acceptance extends BeforeAfter {
  readonly task: ModelConfig["task"];
  readonly images: number;
  readonly people: number;
  /** Labels of the model that the images' labels do not mention. */
  readonly unlabelled: readonly string[];
  /** Of the others those that no image has: they have no figure, and count for nothing. */
  readonly absent: readonly string[];
  /** Whether both models have the same weights, bit by bit: nothing was unlearned between them. */
  readonly identical: boolean;
}

/**
 * How a model does before and after unlearning, on labelled images of the user's own. Nothing of the
 * training is needed; labels of the model that the images lack are left out.
 *
 * @throws LetheError bad input, two models of different labels, or images with labels that they lack
 */
export async function acceptModels(options: AcceptOptions): Promise<Acceptance> {
  const [before, after] = await Promise.all([options.before, options.after].map(readModel));
  const { config } = before;
  if (config.labels.join("\n") !== after.config.labels.join("\n")) {
    throw new LetheError(
      `${options.before} and ${options.after} predict different labels`,
      "a model is accepted against the one that it came from",
      "name the model from before the request and the one from after it",
    );
  }
  const identical = [...before.theta].every(([name, { values }]) =>
    sameBits(values, after.theta.get(name)?.values ?? [])
  );
  const dataset = await openDataset(options.layout, options.images);
  const split = options.split && await readSplit(options.split.file);
  for (const model of split ? [options.before, options.after] : []) {
    const so = "of the parts' images it may have learned from others than its own split tells";
    const note = await otherSplitNotice(model, so, splitHash(split!));
    if (note !== null) options.onNotice?.(note);
  }
  const chosen = split ? partsOf(dataset, split, options.split!.parts) : dataset.samples;
  const { samples, columns } = inModelsLabels(chosen, dataset, config, options.images);
  using input = openInput(dataset.root, samples.length, {});
  const files = samples.map(({ file }) => file);
  const everyone = range(samples.length);
  const logits: Float32Array[] = [];
  let targets = new Float32Array();
  let done = 0;
  const folders = [options.before, options.after];
  for (const [i, { config, theta: host, kernels }] of [before, after].entries()) {
    useKernels(kernels);
    const source = streamedSource(
      input.images(files, storedForm(config)),
      samples,
      inputFormat(config),
    );
    const labels = config.labels.length;
    const microBatch = options.microBatch ??
      microBatchWithin(config, labels, "predict", 64, options.memoryLimit);
    const theta = uploadWeights(host);
    const said = await predict(theta, config, source, everyone, microBatch, (count) => {
      done += count;
      options.onProgress?.({ stage: "accept", done, total: 2 * files.length, unit: "images" });
    }, "logits");
    disposeWeights(theta);
    if (!said.logits.every(Number.isFinite)) {
      throw new LetheError(
        `${folders[i]} predicts numbers that are not finite`,
        "such a model serves nobody",
        "go back to the model from before, and unlearn by smaller steps",
        { exitCode: 3 },
      );
    }
    logits.push(pick(said.logits, labels, columns));
    targets = pick(source.targets(everyone), labels, columns);
  }
  const identities = samples.map(({ identity }) => identity);
  const compared = compareBeforeAfter(
    config.task,
    { before: logits[0], after: logits[1], targets, identities },
    columns.map((column) => config.labels[column]),
    new Random(options.seed, "accept"),
  );
  const { perLabel } = compared;
  return {
    task: config.task,
    images: samples.length,
    people: new Set(identities).size,
    unlabelled: config.labels.filter((label) => !(label in perLabel)),
    absent: Object.keys(perLabel).filter((label) => perLabel[label] === null),
    identical,
    ...compared,
  };
}

function sameBits(a: ArrayLike<number>, b: ArrayLike<number>): boolean {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}

/** The samples of a split's parts that are there, less its support images. */
function partsOf(dataset: Dataset, split: Split, parts: readonly IdentityPart[]): Samples {
  const people = new Set(parts.flatMap((part) => split.identities[part]));
  const support = new Set(Object.values(split.support));
  const samples = dataset.samples.filter(({ file, identity }) =>
    people.has(identity) && !support.has(file)
  );
  if (samples.length > 0) return samples;
  throw new LetheError(
    `${dataset.root} holds no image of ${parts.join(", ")}`,
    "the images of these parts of the split count",
    "name other --parts, or leave out --split",
  );
}

/** Samples with targets in the model's labels, and which of its labels the images have. */
function inModelsLabels(
  samples: Samples,
  dataset: Dataset,
  config: ModelConfig,
  images: string,
): { samples: Sample[]; columns: number[] } {
  const strange = dataset.labels.find((label) => !config.labels.includes(label));
  if (dataset.task !== config.task || strange !== undefined) {
    throw new LetheError(
      strange === undefined
        ? `${images} has ${dataset.task}, the model ${config.task}`
        : `${images} has the label ${strange}, which the model does not predict`,
      `the model's labels are ${config.labels.slice(0, 10).join(", ")}` +
        (config.labels.length > 10 ? ", .." : ""),
      "correct the label file's header",
    );
  }
  const places = dataset.labels.map((label) => config.labels.indexOf(label));
  const placed = samples.map((sample) => ({
    file: sample.file,
    identity: sample.identity,
    targets: config.task === "classes"
      ? [places[sample.targets[0]]]
      : config.labels.map((label) => sample.targets[dataset.labels.indexOf(label)] ?? 0),
  }));
  // Every class competes; of labels only those that are known.
  const columns = config.task === "classes" ? range(config.labels.length) : places;
  return { samples: placed, columns };
}

function pick(
  rows: Float32Array,
  labels: number,
  columns: readonly number[],
): Float32Array<ArrayBuffer> {
  return Float32Array.from(
    { length: rows.length / labels * columns.length },
    (_, k) => rows[Math.floor(k / columns.length) * labels + columns[k % columns.length]],
  );
}
