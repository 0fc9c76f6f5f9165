import { join } from "@std/path";
import { readPlainFile } from "../files/plain_file.ts";
import { samplesOf, type SplitPart } from "../data/split.ts";
import { targetRows } from "../data/loader/stored_source.ts";
import { buildFolder } from "../files/write_whole.ts";
import { LetheError } from "../error.ts";
import { MAX_WEIGHT_BYTES } from "../model/checkpoint.ts";
import type { ModelConfig } from "../model/config.ts";
import { predict, type Predictions } from "../model/predict.ts";
import { encodeSafetensors } from "../model/encode_safetensors.ts";
import { parseSafetensors, type Weight } from "../model/safetensors.ts";
import type { SplitData } from "../run/split_data.ts";
import type { SplitImages } from "../run/split_images.ts";
import { everyIndex } from "../data/loader/image_source.ts";
import type { Weights } from "../tensor/weights.ts";

/** Images per pass through the backbone. */
const MICRO_BATCH = 64;
const FILE = "predictions.safetensors";

/** The parts that a cell is measured on. */
export const PREDICTED_PARTS = ["retain", "forget", "test", "val"] as const;
/** One of {@link PREDICTED_PARTS}, or the support images. */
export type PredictedPart = typeof PREDICTED_PARTS[number] | "support";

/** What a model says of some parts' images, in the split's order; features where they were asked for. */
export type PartPredictions = Readonly<
  Partial<Record<PredictedPart, Pick<Predictions, "logits"> & Partial<Predictions>>>
>;

/** f_theta on parts of a split. */
export async function predictParts(
  theta: Weights,
  config: ModelConfig,
  { split, dataset }: SplitData,
  images: SplitImages,
  parts: readonly PredictedPart[],
  onImages?: (images: number) => void,
): Promise<PartPredictions> {
  const result: Partial<Record<PredictedPart, Predictions>> = {};
  for (const part of parts) {
    const samples = samplesOf(split, dataset, part satisfies SplitPart);
    const source = images.source(samples, config);
    const all = everyIndex(samples.length);
    result[part] = await predict(theta, config, source, all, MICRO_BATCH, onImages);
  }
  return result;
}

/** Whom a part's images show, and their targets, in the order of its predictions. */
export function partImages({ split, dataset }: SplitData, part: PredictedPart) {
  const samples = samplesOf(split, dataset, part);
  return {
    identities: samples.map(({ identity }) => identity),
    files: samples.map(({ file }) => file),
    targets: targetRows(samples, dataset.task, dataset.labels.length),
  };
}

/**
 * Writes models' predictions as a folder with one safetensors file: `<model>.<part>.logits` [n labels]
 * and `.features` [n dim], row after row.
 *
 * @param seconds what making the models took, to be kept with them
 * @throws LetheError `out` exists or cannot be written
 */
export async function writePredictions(
  out: string,
  models: Readonly<Record<string, PartPredictions>>,
  seconds?: number,
): Promise<void> {
  const weights = new Map<string, Weight>();
  for (const [model, parts] of Object.entries(models)) {
    for (const [part, predictions] of Object.entries(parts)) {
      for (const [name, values] of Object.entries(predictions)) {
        const shape = [values.length];
        weights.set(`${model}.${part}.${name}`, { dtype: "F32", shape, values });
      }
    }
  }
  const metadata: Record<string, string> = {};
  if (seconds !== undefined) metadata.seconds = seconds.toFixed(3);
  await buildFolder(out, async (staging) => {
    await Deno.writeFile(join(staging, FILE), encodeSafetensors(weights, metadata));
  });
}

/** A model's rows of one part. @throws LetheError the stage does not hold them */
export type PredictionRows = (part: PredictedPart, rows: keyof Predictions) => Float32Array;

/** What {@link writePredictions} wrote. */
export interface StoredPredictions {
  readonly seconds: number | null;
  /** A model's rows, by its name. */
  rows(model: string): PredictionRows;
}

/** Reads a folder of predictions. @throws LetheError it is missing or damaged */
export async function readPredictions(folder: string): Promise<StoredPredictions> {
  const path = join(folder, FILE);
  const bytes = await readPlainFile(path, { maxBytes: MAX_WEIGHT_BYTES });
  const { weights, metadata } = parseSafetensors(bytes, path);
  const seconds = Number(metadata.seconds);
  return {
    seconds: Number.isFinite(seconds) ? seconds : null,
    rows: (model) => (part, rows) => {
      const values = weights.get(`${model}.${part}.${rows}`)?.values;
      if (values instanceof Float32Array) return values;
      throw new LetheError(
        `${path} lacks ${model}.${part}.${rows}`,
        "a stage's predictions are complete",
        "remove that folder: the grid makes it again",
      );
    },
  };
}
