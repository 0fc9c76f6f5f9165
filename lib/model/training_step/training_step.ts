import type { ImageBatch } from "../../data/loader/image_source.ts";
import type { Task } from "../../data/sample.ts";
import type { Form } from "../../tensor/recording/recording.ts";
import type { Weights } from "../../tensor/weights.ts";
import type { TrainingRecipe } from "../recipes.ts";
import type { VitShape } from "../vit.ts";

/** What of a run a step depends on. */
export interface StepSettings {
  readonly recipe: TrainingRecipe;
  readonly task: Task;
  readonly shape: VitShape;
  /** Images per pass; gradients are accumulated up to the batch. */
  readonly microBatch: number;
}

/** theta, and the optimiser that trains it batch after batch. */
export interface TrainingStep {
  /** theta after the steps taken so far. It stays the step's and may change with the next one. */
  readonly theta: Weights;
  /** Steps begun so far. */
  readonly steps: number;
  /**
   * Makes ready for batches of so many images, where that takes a while (programs to compile): their
   * loading may be under way. Changes no number.
   *
   * @param form of their patches, where it is known; else numbers
   */
  prepare?(images: number, form?: (images: number) => Form | undefined): void;
  /**
   * One step down the gradient of a batch's mean task loss, accumulated over micro-batches.
   *
   * @param input micro-batches in order; the next ones are taken, `images` in all
   * @param onLoss called with the loss once it is read, which happens while the device goes on
   */
  take(
    input: AsyncIterator<ImageBatch, void>,
    images: number,
    learningRate: number,
    onLoss: (loss: number) => void,
  ): Promise<void>;
  /** Waits for all losses. */
  finish(): Promise<void>;
  /** theta as it is now, whatever comes; the caller's. */
  copy(): Weights;
  /** The optimiser's moments, which stay the step's. */
  moments(): Weights;
  /** Takes over moments and the number of steps done. */
  restore(moments: Weights, steps: number): void;
  dispose(): void;
}

/** As is usual for ViTs: biases, norms, the class token and positions do not decay. */
export function decays(name: string): boolean {
  return name.endsWith(".weight") && !/norm/.test(name) && name !== "pos_embed";
}
