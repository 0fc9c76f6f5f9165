import type { ImageFeed } from "../../data/loader/image_source.ts";
import type { ModelConfig } from "../../model/config.ts";
import { uploadWeights } from "../../model/device_weights.ts";
import { predict, Predictor } from "../../model/predict.ts";
import { disposeWeights, type Weights } from "../../tensor/weights.ts";
import { type Answers, probabilities } from "../../unlearn/memory/divergence.ts";
import type { Person } from "../../unlearn/meta_unlearn/simulate_requests.ts";
import type { OnProgress } from "../progress.ts";
import { foldFolder, type Folds, readFoldModel } from "./folds_file.ts";

/** What models say of images, by the images' indices. */
export class Logits {
  readonly #rows = new Map<number, Float32Array>();

  /** Notes [n, labels] logits of images. */
  set(indices: readonly number[], logits: Float32Array): void {
    const width = logits.length / indices.length;
    indices.forEach((index, i) => this.#rows.set(index, logits.slice(i * width, (i + 1) * width)));
  }

  /** Adds logits to those that are there, or notes them. */
  add(indices: readonly number[], logits: Float32Array, weight: number): void {
    const width = logits.length / indices.length;
    indices.forEach((index, i) => {
      const own = logits.subarray(i * width, (i + 1) * width).map((x) => weight * x);
      const sum = this.#rows.get(index);
      this.#rows.set(index, sum ? sum.map((x, l) => x + own[l]) : own);
    });
  }

  /** [n, labels], row after row. @throws RangeError an image without logits */
  of(indices: readonly number[]): Float32Array {
    const rows = indices.map((index) => {
      const row = this.#rows.get(index);
      if (row === undefined) throw new RangeError(`image ${index} has no logits`);
      return row;
    });
    const all = new Float32Array(rows.reduce((sum, row) => sum + row.length, 0));
    rows.reduce((at, row) => (all.set(row, at), at + row.length), 0);
    return all;
  }
}

/** Probabilities of noted logits. */
export function answersOf(logits: Logits, { task, labels }: ModelConfig): Answers {
  return (indices) => probabilities(task, logits.of(indices), labels.length);
}

/** What the fold models say. */
export interface ReferenceLogits {
  /** Of every training image: mean logits, over the partitions, of the models without its person. */
  readonly reference: Logits;
  /** By fold of the first partition: what its model says of its people and of `judged` images. */
  readonly folds: readonly Logits[];
}

/** The fold whose people learned settings keep away from: the last one of the first partition. */
export function heldOutFold({ count }: Folds): number {
  return count - 1;
}

/**
 * Asks every fold model about the people whom it never saw.
 *
 * @param people training people by row
 * @param judged further images that the first partition's models are asked about
 * @throws {LetheError} a fold model is of another size or has other labels
 */
export async function referenceLogits(
  folder: string,
  folds: Folds,
  config: ModelConfig,
  source: ImageFeed,
  people: readonly Person[],
  judged: readonly number[],
  microBatch: number,
  onProgress?: OnProgress,
): Promise<ReferenceLogits> {
  const reference = new Logits();
  const own = Array.from({ length: folds.count }, () => new Logits());
  const total = folds.sets.length * people.reduce((sum, { images }) => sum + images.length, 0);
  let done = 0;
  // One for all fold models: they are of one shape.
  const predictor = new Predictor(config);
  const ask = async (theta: Weights, images: readonly number[]) => {
    const args = [source, images, microBatch, undefined, "logits", predictor] as const;
    return (await predict(theta, config, ...args)).logits;
  };
  for (const [set, foldOf] of folds.sets.entries()) {
    for (let fold = 0; fold < folds.count; fold++) {
      const theta = await foldTheta(foldFolder(folder, set, fold), config);
      const unseen = people.flatMap(({ row, images }) => foldOf[row] === fold ? images : []);
      const logits = await ask(theta, unseen);
      reference.add(unseen, logits, 1 / folds.sets.length);
      if (set === 0) {
        own[fold].set(unseen, logits);
        own[fold].set(judged, await ask(theta, judged));
      }
      disposeWeights(theta);
      done += unseen.length;
      onProgress?.({ stage: "answers of the fold models", done, total, unit: "images" });
    }
  }
  predictor.dispose();
  return { reference, folds: own };
}

/** A fold model's weights, the caller's. @throws {LetheError} it is of another size or has other labels */
export async function foldTheta(path: string, config: ModelConfig): Promise<Weights> {
  return uploadWeights((await readFoldModel(path, config)).theta);
}
