import type { ImageBatch } from "../../data/loader/image_source.ts";
import type { Weights } from "../../tensor/weights.ts";

/** Looks on while a model is trained, and changes nothing: the weights are the same bits with it. */
export interface StepLog {
  /**
   * Before a step: a batch's images, and theta as it is.
   *
   * @param images positions among the training images, in the order of the pieces' rows
   * @param pieces stay the caller's
   */
  before(theta: Weights, images: readonly number[], pieces: readonly ImageBatch[]): Promise<void>;
  /** After it: the optimiser's moments, and the number of steps so far. */
  after(learningRate: number, steps: number, moments: Weights): Promise<void>;
}
