import { joinedSamples } from "../data/packed_samples.ts";
import { samplesOf } from "../data/split.ts";
import { refuseExisting } from "../files/write_whole.ts";
import { LetheError, UsageError } from "../error.ts";
import { readModel, writeModel } from "../model/checkpoint.ts";
import { downloadWeights, uploadWeights } from "../model/device_weights.ts";
import { microBatchWithin } from "../model/memory_plan.ts";
import type { Device } from "../tensor/device.ts";
import { useKernels } from "../tensor/kernels/autotune/kernel_choice.ts";
import { Random } from "../random.ts";
import { disposeWeights } from "../tensor/weights.ts";
import {
  type MethodName,
  methodOf,
  type MethodSettings,
  needsReferences,
  publishedLayout,
  publishedSettings,
} from "../unlearn/methods.ts";
import { foldAnswers } from "./memory/fold_answers.ts";
import { oracleNotice } from "./oracle_origin.ts";
import type { OnProgress } from "./progress.ts";
import { openSplit } from "./split_data.ts";
import { openImages } from "./split_images.ts";
import { range } from "../data/loader/image_source.ts";

/** What {@link unlearnWithData} needs. */
export interface UnlearnWithDataOptions {
  /** What computes. */
  readonly device: Device;
  /** How to unlearn. */
  readonly method: MethodName;
  /** Folder of the trained model. */
  readonly model: string;
  /** The split's file. */
  readonly split: string;
  /** The data set's folder. */
  readonly data: string;
  /** Model folder to make; it must not exist. */
  readonly out: string;
  /** What is not given is as published. */
  readonly settings?: MethodSettings;
  /** Of all that is drawn. */
  readonly seed: number;
  /** Folder of the fold models, for methods that follow what models say that never saw the people. */
  readonly foldModels?: string | undefined;
  /** Images per pass; default the batch, or as many as the memory holds. */
  readonly microBatch?: number | undefined;
  /** Bytes of device memory to keep within. */
  readonly memoryLimit?: number | undefined;
  /** A folder that keeps decoded images. */
  readonly cache?: string | undefined;
  /** Told of the work done. */
  readonly onProgress?: OnProgress | undefined;
  /** Lines for people. */
  readonly onNotice?: (line: string) => void;
}

/** `unlearning.json`, beside the weights. */
export interface DataUnlearning {
  /** How to unlearn. */
  readonly method: MethodName;
  /** As they were used. */
  readonly settings: Readonly<Record<string, number>>;
  /** Where those settings come from that were not given. */
  readonly source: string;
  /** Of all that is drawn. */
  readonly seed: number;
  /** What computes. */
  readonly device: string;
  /** SHA-256 of the split's content. */
  readonly split: string;
  /** Training images that were read. */
  readonly images: { readonly forget: number; readonly retain: number };
}

/**
 * Unlearns the people to forget by SCRUB, Bad Teacher or reference tuning, which read training images: what
 * the benchmark compares with, no answer to a request. Writes a model folder, whole or not at all.
 *
 * @throws UsageError the method needs fold models and is given none
 * @throws LetheError bad input, or `out` exists
 */
export async function unlearnWithData(options: UnlearnWithDataOptions): Promise<DataUnlearning> {
  const { device, method, out, seed, onProgress } = options;
  await refuseExisting(out);
  if (needsReferences(methodOf(method)) && options.foldModels === undefined) {
    throw new UsageError(
      `${method} without fold models`,
      "it follows what models say that never saw the people to forget",
      "name their folder with --fold-models; deno task meta-learn --memory trains them beside the kit",
    );
  }
  const data = await openSplit(options.split, options.data);
  const original = await readModel(options.model);
  const { config, theta: host } = original;
  useKernels(original.kernels);
  const notice = await oracleNotice(options.model, "what is unlearned of it", data.sha256);
  if (notice !== null) options.onNotice?.(notice);
  if (config.labels.join("\n") !== data.dataset.labels.join("\n")) {
    throw new LetheError(
      `${options.model} predicts other labels than the split has`,
      "a model unlearns with its own training set",
      "name the model and the split that belong together",
    );
  }
  const { name } = data.split.dataset;
  const people = data.split.forgetCount;
  const settings = {
    ...publishedSettings(methodOf(method), name, people),
    ...options.settings,
  };
  const parts = [
    samplesOf(data.split, data.dataset, "forget"),
    samplesOf(data.split, data.dataset, "retain"),
  ];
  const samples = joinedSamples(parts);
  const forget = range(parts[0].length);
  const retain = range(parts[1].length).map((i) => forget.length + i);
  using images = openImages(data, options.cache, options.onNotice);
  const { batchSize } = settings;
  const microBatch = options.microBatch ??
    microBatchWithin(config, config.labels.length, "train", batchSize, options.memoryLimit);
  const request = { support: [], forget, retain };
  const total = methodOf(method).images?.(settings, request) ?? samples.length;
  let done = 0;
  const source = images.source(samples, config);
  const references = needsReferences(methodOf(method))
    ? await foldAnswers(options.foldModels!, original, data, source, parts[0], microBatch)
    : undefined;
  const theta = uploadWeights(host);
  const { theta: after } = await methodOf(method).run(
    {
      theta,
      shape: config,
      microBatch,
      task: config.task,
      source,
      ...(references ? { references } : {}),
      random: new Random(seed, method),
      onImages(count: number) {
        done += count;
        onProgress?.({ stage: `unlearn by ${method}`, done, total, unit: "images" });
      },
    },
    request,
    settings,
  );
  const record: DataUnlearning = {
    method,
    settings: { ...settings },
    source: `published for ${publishedLayout(name)} and ${people} people to forget`,
    seed,
    device: device.adapter,
    split: data.sha256,
    images: { forget: forget.length, retain: retain.length },
  };
  const text = new TextEncoder().encode(JSON.stringify(record, null, 2) + "\n");
  const model = { ...original, theta: await downloadWeights(after) };
  for (const weights of [theta, after]) disposeWeights(weights);
  await writeModel(out, model, new Map([["unlearning.json", text]]));
  return record;
}
