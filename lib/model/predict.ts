import * as tf from "@tensorflow/tfjs";
import {
  batchesOf,
  type BatchStream,
  type ImageFeed,
  type Indices,
  piecesOf,
} from "../data/loader/image_source.ts";
import { plain } from "../tensor/algebra.ts";
import { checkDevice } from "../tensor/device_fault.ts";
import { Gathered } from "../tensor/recording/gathered.ts";
import { Recorded } from "../tensor/recording/recorded.ts";
import type { Tensors } from "../tensor/recording/recording.ts";
import type { Weights } from "../tensor/weights.ts";
import { vit, type VitShape } from "./vit.ts";

/** What the model says of n images, on the host, row after row. */
export interface Predictions {
  /** [n, labels] */
  readonly logits: Float32Array;
  /** CLS feature after the final norm, [n, dim]. */
  readonly features: Float32Array;
}

/** What is done with each batch's results, in their order; the rows hold until it returns. */
export type OnPredicted = (
  first: number,
  images: number,
  logits: Float32Array,
  features: Float32Array | undefined,
) => void;

/**
 * f_theta of batch after batch: recorded once, replayed for all batches and weights of its shape. Results
 * are read together, as many as its pace so far allows.
 */
export class Predictor {
  readonly #step: Recorded<Tensors, { logits: tf.Tensor; features: tf.Tensor }>;
  readonly #results = new Gathered();

  constructor(shape: VitShape) {
    this.#step = new Recorded((inputs) => {
      const { patches, ...theta } = inputs;
      return { ...vit(plain, theta, patches, shape) };
    });
  }

  /**
   * Queues a batch.
   *
   * @param version the same for batches between which theta did not change
   * @returns logits [b, labels] and features [b, dim], which hold until the next run
   */
  run(theta: Weights, patches: tf.Tensor, version: unknown) {
    return this.#step.run({ ...theta, patches }, new Set(Object.keys(theta)), version);
  }

  /**
   * As {@link predictEach}, waiting for no result: theta may change when it returns.
   *
   * @param onPredicted called with a batch's results some time until {@link settle} returns
   */
  async queue(
    theta: Weights,
    source: ImageFeed | BatchStream,
    indices: Indices,
    microBatch: number,
    onPredicted: OnPredicted,
    wanted: "both" | "logits" = "both",
  ): Promise<void> {
    const version = {};
    const step = (patches: tf.Tensor) => this.run(theta, patches, version);
    const pieces = piecesOf(indices, microBatch);
    try {
      await eachBatch(source, pieces, step, this.#results, onPredicted, wanted);
    } catch (error) {
      // Nobody waits for the others any more.
      this.#results.dispose();
      throw error;
    }
  }

  /** Waits for all results. @throws {LetheError} the device was lost or failed */
  async settle(): Promise<void> {
    await this.#results.settle();
    checkDevice();
  }

  dispose(): void {
    this.#step.dispose();
    this.#results.dispose();
  }
}

async function eachBatch(
  source: ImageFeed | BatchStream,
  pieces: Iterable<readonly number[]>,
  step: (patches: tf.Tensor) => { logits: tf.Tensor; features: tf.Tensor },
  results: Gathered,
  onPredicted: OnPredicted,
  wanted: "both" | "logits",
): Promise<void> {
  let done = 0;
  for await (const batch of batchesOf(source, pieces)) {
    const images = batch.targets.shape[0];
    const { logits, features } = step(batch.patches);
    tf.dispose([batch.patches, batch.targets]);
    const first = done;
    await results.add(
      [logits, ...wanted === "both" ? [features] : []],
      (logits, features) => onPredicted(first, images, logits, features),
    );
    done += images;
  }
}

/** Batches from which on it pays to record what all of them do. */
const WORTH_RECORDING = 3;

/**
 * f_theta without gradients, `microBatch` images at a time.
 *
 * @param indices images of `source`
 * @param wanted without features, these are empty: of many images they take more room than the logits
 * @param predictor of theta's shape, where there are calls to come: it stays the caller's
 * @returns host arrays; no tensor is left on the device
 * @throws {LetheError} the device was lost or failed
 */
export async function predict(
  theta: Weights,
  shape: VitShape,
  source: ImageFeed | BatchStream,
  indices: Indices,
  microBatch: number,
  onBatch?: (images: number) => void,
  wanted: "both" | "logits" = "both",
  predictor?: Predictor,
): Promise<Predictions> {
  const labels = theta["head.bias"].size;
  const logits = new Float32Array(indices.length * labels);
  const features = new Float32Array(wanted === "both" ? indices.length * shape.dim : 0);
  const keep: OnPredicted = (first, images, logitRows, featureRows) => {
    logits.set(logitRows, first * labels);
    if (featureRows) features.set(featureRows, first * shape.dim);
    onBatch?.(images);
  };
  await predictEach(theta, shape, source, indices, microBatch, keep, wanted, predictor);
  return { logits, features };
}

/** As {@link predict}, for callers that need not hold what is said of all images at once. */
export async function predictEach(
  theta: Weights,
  shape: VitShape,
  source: ImageFeed | BatchStream,
  indices: Indices,
  microBatch: number,
  onPredicted: OnPredicted,
  wanted: "both" | "logits" = "both",
  predictor?: Predictor,
): Promise<void> {
  if (predictor || indices.length > (WORTH_RECORDING - 1) * microBatch) {
    const replayed = predictor ?? new Predictor(shape);
    await replayed.queue(theta, source, indices, microBatch, onPredicted, wanted);
    await replayed.settle();
    if (!predictor) replayed.dispose();
    return;
  }
  const results = new Gathered();
  const outputs: tf.Tensor[] = [];
  const step = (patches: tf.Tensor) => {
    const output = tf.tidy(() => ({ ...vit(plain, theta, patches, shape) }));
    outputs.push(output.logits, output.features);
    return output;
  };
  await eachBatch(source, piecesOf(indices, microBatch), step, results, onPredicted, wanted);
  tf.dispose(outputs);
  await results.finish();
  checkDevice();
}
