import type { ImageFeed } from "../../data/loader/image_source.ts";
import type { Task } from "../../data/sample.ts";
import type { Answers } from "../memory/divergence.ts";
import type { AuxiliaryForm, Measured } from "./eq5_eq6_auxiliary_objective.ts";
import type { UnlearningSettings } from "./algorithm1_unlearning_step.ts";

/** One batch of the auxiliary objective: image indices of the request's `source`. */
export interface AuxiliaryBatch {
  /** Df: the other images of the people in S. */
  readonly forget: readonly number[];
  /** Dv. */
  readonly val: readonly number[];
  /** K: images whose loss is held at its original value; empty without `keep`. */
  readonly keep: readonly number[];
}

/** What the meta-gradient is taken of. */
export interface MetaObjective<Source extends ImageFeed = ImageFeed> extends UnlearningSettings {
  readonly form: AuxiliaryForm;
  /** w of the term w d(L(K; theta_u), L(K; theta)); beyond the paper. */
  readonly keepWeight: number;
  readonly task: Task;
  readonly source: Source;
  /** Loss and metric of theta itself on these images, from predictions cached once. */
  original(indices: readonly number[]): Measured;
  /** What models say of forget images that never saw their people; `align` of `folds` alone needs it. */
  readonly reference?: Answers;
  /** Loss (mean) and metric of logits [b, labels] against the images' targets. */
  measure(logits: Float32Array, indices: readonly number[]): Measured;
}
