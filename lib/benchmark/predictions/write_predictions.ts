import { join } from "@std/path";
import { everyIndex } from "../../data/loader/image_source.ts";
import { samplesOf } from "../../data/split.ts";
import { buildFolder } from "../../files/write_whole.ts";
import type { ModelConfig } from "../../model/config.ts";
import { headOfShapes } from "../../model/encode_safetensors.ts";
import { predictEach } from "../../model/predict.ts";
import type { SplitData } from "../../run/split_data.ts";
import type { SplitImages } from "../../run/split_images.ts";
import type { Weights } from "../../tensor/weights.ts";
import { type PredictedPart, PREDICTIONS_FILE } from "./parts.ts";

/** Images per pass through the backbone. */
const MICRO_BATCH = 64;

/** What a folder of predictions will hold. */
export interface PredictionPlan {
  /** Names of the models. */
  readonly models: readonly string[];
  readonly parts: readonly PredictedPart[];
  readonly wanted: "both" | "logits";
  /** What making the models took, to be kept with them. */
  readonly seconds?: number;
}

/** Predicts all parts' images with a model of the plan. */
export type PredictModel = (model: string, theta: Weights) => Promise<void>;

/**
 * Writes models' predictions as a folder with one safetensors file: `<model>.<part>.logits` [n labels]
 * and `.features` [n dim], row after row in the split's order. Rows go to their place in the file as they
 * come, so that the number of images hardly matters to memory.
 *
 * @param predictAll predicts with each model of the plan, once
 * @throws LetheError `out` exists or cannot be written
 */
export async function writePredictions(
  out: string,
  config: ModelConfig,
  { split, dataset }: SplitData,
  images: SplitImages,
  { models, parts, wanted, seconds }: PredictionPlan,
  predictAll: (predict: PredictModel) => Promise<void>,
): Promise<void> {
  const { labels: { length: labels }, dim } = config;
  const own = parts.map((part) => ({ part, samples: samplesOf(split, dataset, part) }));
  const shapes = new Map<string, readonly number[]>();
  for (const model of models) {
    for (const { part, samples: { length } } of own) {
      shapes.set(`${model}.${part}.logits`, [length * labels]);
      if (wanted === "both") shapes.set(`${model}.${part}.features`, [length * dim]);
    }
  }
  const metadata: Record<string, string> = {};
  if (seconds !== undefined) metadata.seconds = seconds.toFixed(3);
  await buildFolder(out, async (staging) => {
    using file = openForRows(join(staging, PREDICTIONS_FILE), shapes, metadata);
    await predictAll(async (model, theta) => {
      for (const { part, samples } of own) {
        await predictEach(
          theta,
          config,
          images.source(samples, config),
          everyIndex(samples.length),
          MICRO_BATCH,
          (first, _, logits, features) => {
            file.write(`${model}.${part}.logits`, first * labels, logits);
            if (features) file.write(`${model}.${part}.features`, first * dim, features);
          },
          wanted,
        );
      }
    });
  });
}

/** A new safetensors file of known shapes, whose numbers come in any order. */
function openForRows(
  path: string,
  shapes: ReadonlyMap<string, readonly number[]>,
  metadata: Readonly<Record<string, string>>,
) {
  const tensors = [...shapes].map(([name, shape]) => [name, { dtype: "F32", shape }] as const);
  const { head, begins } = headOfShapes(new Map(tensors), metadata);
  const file = Deno.openSync(path, { write: true, createNew: true });
  const writeAt = (at: number, bytes: Uint8Array) => {
    file.seekSync(at, Deno.SeekMode.Start);
    for (let done = 0; done < bytes.length;) done += file.writeSync(bytes.subarray(done));
  };
  try {
    writeAt(0, head);
  } catch (error) {
    file.close(); // the disk is full, as a rule
    throw error;
  }
  return {
    /** @param from number of the tensor that is the first of these */
    write(tensor: string, from: number, { buffer, byteOffset, byteLength }: Float32Array): void {
      const bytes = new Uint8Array(buffer, byteOffset, byteLength);
      writeAt(head.length + begins.get(tensor)! + 4 * from, bytes);
    },
    [Symbol.dispose]: () => file.close(),
  };
}
