import { META_LOSS_INPUTS } from "../../lib/model/meta_loss/meta_loss_inputs.ts";
import {
  type MetaLearnSettings,
  PUBLISHED_META_LEARNING as PUBLISHED,
} from "../../lib/run/meta_learning/settings.ts";
import { ALIGN, TERMS } from "../../lib/unlearn/meta_unlearn/eq5_eq6_auxiliary_objective.ts";
import { UNSEEN_IMAGES } from "../../lib/unlearn/meta_unlearn/judged_images.ts";
import type { OptionTable, OptionValues } from "../command/options.ts";

/** Every setting of meta-learning; defaults are the paper's (App. A, Table 8) for CelebA-HQ/20. */
export const META_OPTIONS = {
  requestSize: {
    kind: "integer",
    min: 1,
    help: "N_S, people per request (20, or the split's people to forget where they are fewer)",
  },
  epochs: { kind: "integer", min: 1, default: PUBLISHED.epochs, help: "meta-epochs" },
  learningRate: {
    kind: "number",
    min: 0,
    default: PUBLISHED.learningRate,
    help: "alpha, of AdamW on the meta-loss",
  },
  metaLearningRate: {
    kind: "number",
    min: 0,
    default: PUBLISHED.metaLearningRate,
    help: "eta, of the unlearning step",
  },
  batchSize: {
    kind: "integer",
    min: 1,
    default: PUBLISHED.batchSize,
    help: "images per forget and val batch",
  },
  dropout: {
    kind: "number",
    min: 0,
    max: 0.95,
    default: PUBLISHED.dropout,
    help: "inside the meta-loss",
  },
  terms: {
    kind: "choice",
    of: TERMS,
    default: PUBLISHED.form.terms,
    help: "terms of the auxiliary objective, or SCRUB's loss (Table 5)",
  },
  distance: {
    kind: "choice",
    of: ["smooth_l1", "l2"],
    default: PUBLISHED.form.distance,
    help: "how losses are compared (Table 8a; Eq. 5)",
  },
  align: {
    kind: "choice",
    of: ALIGN,
    default: PUBLISHED.form.align,
    help:
      "beyond the paper: align each label's loss, not their mean; or follow fold models, which " +
      "never saw the people, in place of Eq. 5 and 6",
  },
  scaled: {
    kind: "flag",
    default: PUBLISHED.form.scaled,
    help: "scale losses by 1 - metric (Eq. 6)",
  },
  inputs: {
    kind: "list",
    of: META_LOSS_INPUTS,
    default: PUBLISHED.inputs,
    help: "the meta-loss's inputs (Table 6)",
  },
  hidden: {
    kind: "integer",
    min: 1,
    max: 8192,
    default: PUBLISHED.hidden,
    help: "width of the meta-loss",
  },
  embeddingSize: {
    kind: "integer",
    min: 1,
    max: 4096,
    default: PUBLISHED.embeddingSize,
    help: "of an identity",
  },
  keep: {
    kind: "choice",
    of: ["none", "val", "retain"],
    default: PUBLISHED.keep,
    help: "beyond the paper: whose loss to hold at its original value",
  },
  keepWeight: {
    with: ["keep"],
    kind: "number",
    min: 0,
    default: PUBLISHED.keepWeight,
    help: "weight of the keep term",
  },
  stepSizes: {
    kind: "choice",
    of: ["global", "learned"],
    default: "global",
    help: "beyond the paper: learn one step size per tensor",
  },
  stepSizeLearningRate: {
    with: ["stepSizes=learned"],
    kind: "number",
    min: 0,
    default: 0.1,
    help: "of the log step sizes",
  },
  start: {
    kind: "choice",
    of: ["random", "ascent"],
    default: PUBLISHED.start,
    help: "beyond the paper: fit the meta-loss to gradient ascent before it learns (best with " +
      "--inputs logits,targets)",
  },
  varySupport: {
    kind: "flag",
    help: "beyond the paper: crop and flip simulated support images, as if theta had not seen them",
  },
  holdOut: {
    kind: "number",
    min: 0,
    max: 0.9,
    default: PUBLISHED.holdOut,
    help: "share of people kept out, to pick the epoch by",
  },
  heldOutImages: {
    kind: "integer",
    min: 1,
    default: UNSEEN_IMAGES,
    help: "validation images that each held-out request is judged on, the same at each: with " +
      "1024 chance moves a metric by some 0.7 points",
  },
} as const satisfies OptionTable;

/** N_S of the paper. */
const REQUEST_SIZE = 20;

/**
 * The settings that a command line asks for; its other options (paths, device) are left out.
 *
 * @param forget people that the split has to forget: requests are not larger unless they are asked to be
 */
export function metaLearnSettings(
  options: OptionValues<typeof META_OPTIONS>,
  forget = REQUEST_SIZE,
): MetaLearnSettings {
  const own = Object.keys(META_OPTIONS).map((key) => [key, options[key as keyof typeof options]]);
  const { terms, distance, scaled, align, stepSizes, stepSizeLearningRate, ...rest } = Object
    .fromEntries(own) as OptionValues<typeof META_OPTIONS>;
  return {
    ...rest,
    requestSize: rest.requestSize ?? Math.min(REQUEST_SIZE, forget),
    form: { terms, distance, scaled, align },
    stepSizeLearningRate: stepSizes === "learned" ? stepSizeLearningRate : null,
  };
}
