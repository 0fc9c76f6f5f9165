import { LetheError, UsageError } from "../../error.ts";
import type { ModelConfig } from "../../model/config.ts";
import { dependsOnTheta, type MetaLossInput } from "../../model/meta_loss/meta_loss_inputs.ts";
import type { AuxiliaryForm } from "../../unlearn/meta_unlearn/eq5_eq6_auxiliary_objective.ts";
import type { MetaLearningRecipe } from "../../unlearn/meta_unlearn/meta_learn.ts";

/** Where the settings of SSD, PGU and JiT come from. */
export const METHOD_SETTINGS_CHOICES = ["published", "chosen"] as const;
/** One of {@link METHOD_SETTINGS_CHOICES}. */
export type MethodSettingsChoice = typeof METHOD_SETTINGS_CHOICES[number];

/** All of meta-learning's settings; a kit records them. */
export interface MetaLearnSettings extends MetaLearningRecipe {
  /** eta. */
  readonly metaLearningRate: number;
  /** What the meta-loss sees (Table 6). */
  readonly inputs: readonly MetaLossInput[];
  /** Of the auxiliary objective (Table 5). */
  readonly form: AuxiliaryForm;
  /** w of the keep term. */
  readonly keepWeight: number;
  /** Width of the meta-loss. */
  readonly hidden: number;
  /** Numbers an identity is embedded in. */
  readonly embeddingSize: number;
  /** phi at first: random (the paper), or fitted to gradient ascent on the task loss. */
  readonly start: "random" | "ascent";
  /** Beyond the paper: vary simulated support images by crops and mirroring. */
  readonly varySupport: boolean;
  /** Share of the training people kept out of meta-training, to pick the epoch by. */
  readonly holdOut: number;
  /** Validation images that each held-out request is judged on; default 1,024. */
  readonly heldOutImages?: number;
}

/**
 * Holds the inputs against what a meta-loss can learn from, before anything is read.
 *
 * @throws UsageError neither logits nor features, or one input twice
 */
export function checkInputs(inputs: readonly MetaLossInput[]): void {
  const given = `--inputs ${inputs.join(",")}`;
  const twice = inputs.find((input, i) => inputs.indexOf(input) < i);
  if (twice) throw new UsageError(given, "no input is listed twice", `drop one ${twice}`);
  if (!dependsOnTheta(inputs)) {
    throw new UsageError(
      given,
      "without the model's logits and features the meta-loss cannot tell how to change the model",
      "add logits, features or both",
    );
  }
}

/** @throws LetheError settings that do not go together, or not with the model's task */
export function checkSettings({ form, keep }: MetaLearnSettings, { task }: ModelConfig): void {
  if (form.terms === "scrub" && keep !== "none") {
    throw new LetheError(
      `--terms scrub with --keep ${keep}`,
      "SCRUB's loss holds the validation people itself",
      "use --keep none with it",
    );
  }
  if (form.terms === "scrub" && form.align === "folds") {
    throw new LetheError(
      "--terms scrub with --align folds",
      "each takes the place of Eq. 5 and 6",
      "choose one of them",
    );
  }
  if (form.align === "labels" && task === "classes") {
    throw new LetheError(
      "--align labels",
      "classes share one loss",
      "use --align mean for a classifier",
    );
  }
}

/** Meta-learning as published (App. A, Table 8): CelebA and CelebA-HQ. */
export const PUBLISHED_META_LEARNING: Omit<MetaLearnSettings, "requestSize"> = {
  epochs: 3,
  learningRate: 1e-4,
  metaLearningRate: 0.1,
  batchSize: 64,
  dropout: 0.5,
  keep: "none",
  keepWeight: 1,
  stepSizeLearningRate: null,
  inputs: ["logits", "features", "targets", "identities"],
  form: { distance: "smooth_l1", terms: "both", scaled: true, align: "mean" },
  hidden: 512,
  embeddingSize: 64,
  start: "random",
  varySupport: false,
  holdOut: 0,
};
