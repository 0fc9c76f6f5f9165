import type { ImageFeed } from "../../data/loader/image_source.ts";
import type { Task } from "../../data/sample.ts";
import type { Weights } from "../../tensor/weights.ts";
import type { Backbone } from "../logit_gradient.ts";
import type { Person } from "../meta_unlearn/simulate_requests.ts";
import type { Answers } from "./divergence.ts";
import type { GradientMoments } from "./gradient_moments.ts";

/** The model, its images and what others say of them, while the data exist. */
export interface MemoryContext extends Backbone {
  readonly theta: Weights;
  readonly task: Task;
  readonly source: ImageFeed;
  /** Everybody that the model was trained on; `row` is the position in this list. */
  readonly people: readonly Person[];
  /** Images of people that the model was not trained on. */
  readonly val: readonly number[];
  /** What models say that never saw the person on the image. */
  readonly reference: Answers;
  /** What the model itself says, before any step. */
  readonly original: Answers;
  readonly moments: GradientMoments;
}

/** How rows are made. */
export interface MemoriseRecipe {
  /** How often everybody is dealt into groups. */
  readonly rounds: number;
  /** People per group: the first round's, the second's, and so on, over and over. */
  readonly groupSizes: readonly number[];
  /** Weight of what other training people lose. */
  readonly retainWeight: number;
  /** Weight of what validation people lose. */
  readonly valWeight: number;
  /** Images of others that each group is held by; half as many of validation people. */
  readonly retainImages: number;
  /**
   * Share of the true labels in what other training people are held to; the rest, all where this is
   * absent, is what the model said of them before.
   */
  readonly labelShare?: number;
  /** Share of the first round's step that the last round's is. */
  readonly lastStep: number;
  /** The first round's step as a share of the largest that is stable; absent or 0: a step of 1. */
  readonly stableShare?: number;
  /** Of the round before, how much each person's row goes on by (heavy ball); absent: nothing. */
  readonly momentum?: number;
}
