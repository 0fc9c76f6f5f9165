import { PASS_SIZE } from "../unlearn/pass_size.ts";
import { join } from "@std/path";
import { readPlainFile } from "../files/plain_file.ts";
import { samplesOf } from "../data/split.ts";
import { buildFolder } from "../files/write_whole.ts";
import { MAX_WEIGHT_BYTES, type Model } from "../model/checkpoint.ts";
import { downloadWeights, uploadWeights } from "../model/device_weights.ts";
import { encodeSafetensors } from "../model/encode_safetensors.ts";
import { parseSafetensors } from "../model/safetensors.ts";
import type { SplitData } from "../run/split_data.ts";
import type { SplitImages } from "../run/split_images.ts";
import { range } from "../data/loader/image_source.ts";
import { disposeWeights, type Weights } from "../tensor/weights.ts";
import {
  disposeStatistics,
  type TrainingStatistics,
  trainingStatistics,
} from "../unlearn/training_statistics.ts";

const FILES = {
  importances: "importances.safetensors",
  covariances: "covariances.safetensors",
} as const;

/**
 * Computes what SSD, PGU and influence need of the training images and writes it as a folder.
 *
 * @throws LetheError `out` exists or cannot be written
 */
export async function writeStatistics(
  { config, theta: host }: Model,
  { split, dataset }: SplitData,
  images: SplitImages,
  out: string,
): Promise<void> {
  const samples = samplesOf(split, dataset, "train");
  const source = images.source(samples, config);
  const theta = uploadWeights(host);
  const all = range(samples.length);
  const backbone = { shape: config, microBatch: PASS_SIZE };
  const { task } = config;
  const statistics = await trainingStatistics("all", theta, backbone, task, source, all);
  await buildFolder(out, async (staging) => {
    for (const name of ["importances", "covariances"] as const) {
      const bytes = encodeSafetensors(await downloadWeights(statistics[name]!));
      await Deno.writeFile(join(staging, FILES[name]), bytes);
    }
  });
  disposeWeights(theta);
  disposeStatistics(statistics);
}

/** Reads a folder of statistics onto the device; the caller disposes both. @throws LetheError damaged */
export async function readStatistics(folder: string): Promise<TrainingStatistics> {
  const read = async (name: keyof typeof FILES): Promise<Weights> => {
    const path = join(folder, FILES[name]);
    const bytes = await readPlainFile(path, { maxBytes: MAX_WEIGHT_BYTES });
    return uploadWeights(parseSafetensors(bytes, path).weights);
  };
  return { importances: await read("importances"), covariances: await read("covariances") };
}
