import * as tf from "@tensorflow/tfjs";
import { chunks, type ImageFeed } from "../../data/loader/image_source.ts";
import type { Task } from "../../data/sample.ts";
import { taskLoss } from "../../model/task_loss.ts";
import { vit } from "../../model/vit.ts";
import { plain } from "../../tensor/algebra.ts";
import { activeWebgpu } from "../../tensor/recording/owned_tensor.ts";
import { Gathered } from "../../tensor/recording/gathered.ts";
import { Recorded } from "../../tensor/recording/recorded.ts";
import type { Tensors } from "../../tensor/recording/recording.ts";
import { valueAndGradients, type Weights } from "../../tensor/weights.ts";
import type { Backbone } from "../logit_gradient.ts";
import type { Answers } from "./divergence.ts";
import { addTo, flattened } from "./flat.ts";

/** Numbers of gradients that wait on the device to be read together, unless one takes more. */
const WAITING = 2 ** 22;

/** Sizes that a pass is filled up to: so many recordings of a step are kept. */
const SIZES = [8, 16, 32, 64];

/**
 * Gradients in theta of mean KL(answer || f_theta) of many small sets of images: the step is recorded once
 * for each of four sizes and replayed (WebGPU), so that a person's share costs the device what it computes.
 * Batches are filled up with images whose logits count for nothing.
 */
export class DivergenceGradients {
  readonly #microBatch: number;
  readonly #step: Recorded<Tensors, { flat: tf.Tensor }>;
  readonly #results = new Gathered(WAITING);

  constructor({ shape, microBatch }: Backbone, task: Task) {
    this.#microBatch = Math.min(microBatch, SIZES.at(-1)!);
    this.#step = new Recorded(({ patches, due, counted, share, ...theta }) => {
      const { value, gradients } = valueAndGradients((weights) => {
        const { logits } = vit(plain, weights, patches, shape);
        // A row of zeros for logits has a gradient of its own, but none in theta.
        return tf.mul(taskLoss(task, tf.mul(logits, counted), due), share);
      }, theta);
      const flat = flattened(gradients);
      tf.dispose([value, ...Object.values(gradients)]);
      return { flat };
    });
  }

  /**
   * One set's, when it is there.
   *
   * @param theta stays the caller's
   * @param version the same for calls between which theta did not change
   * @param images of `source`, at least one
   * @returns as `flatten` lays theta's names out
   */
  async of(
    theta: Weights,
    version: unknown,
    source: ImageFeed,
    images: readonly number[],
    answers: Answers,
  ): Promise<Float32Array> {
    let found: Float32Array | undefined;
    await this.queue(theta, version, source, images, answers, (values) => found = values);
    await this.settle();
    return found!;
  }

  /** As {@link of}, waiting for nothing: many sets' are read together. @param then called in order */
  async queue(
    theta: Weights,
    version: unknown,
    source: ImageFeed,
    images: readonly number[],
    answers: Answers,
    then: (values: Float32Array) => void,
  ): Promise<void> {
    const names = new Set(Object.keys(theta));
    const pieces = chunks(images, this.#microBatch);
    let sum: Float32Array | null = null;
    for (const [i, own] of pieces.entries()) {
      const places = activeWebgpu()
        ? Math.min(this.#microBatch, SIZES.find((size) => size >= own.length)!)
        : own.length;
      const filled = Array.from({ length: places }, (_, i) => own[Math.min(i, own.length - 1)]);
      const { patches, targets } = await source.batch(filled);
      const inputs = {
        patches,
        due: tf.tensor2d(answers(filled), [places, targets.shape[1]!]),
        counted: tf.tensor2d(filled.map((_, i) => i < own.length ? 1 : 0), [places, 1]),
        share: tf.scalar(places / images.length),
      };
      const { flat } = this.#step.run({ ...theta, ...inputs }, names, version);
      tf.dispose([targets, ...Object.values(inputs)]);
      await this.#results.add([flat], (part) => {
        if (sum === null) sum = part;
        else addTo(sum, part, 1);
        if (i === pieces.length - 1) then(sum);
      });
    }
  }

  /** Waits until all that was queued is there. */
  settle(): Promise<void> {
    return this.#results.settle();
  }

  dispose(): void {
    this.#step.dispose();
    this.#results.dispose();
  }
}
