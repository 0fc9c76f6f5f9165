import type { Random } from "../random.ts";
import { clusteredIntervals, type Interval } from "./bootstrap.ts";
import { resampledRoc } from "./resampled_roc.ts";
import { type PairedLosses, RMIA_DEFAULTS, rmiaScores, type RmiaSettings } from "./eq9_rmia.ts";
import { areaUnderRoc, type TprAtFpr, tprAtFpr, truePositiveRates } from "./roc.ts";

/** The false positive rate of the paper's tables: 0.01 % (App. B). */
export const PAPER_FPR = 1e-4;

/** Images with the person that each shows, and their losses under both models. */
export interface AttackedImages extends PairedLosses {
  /** Whom each image shows. */
  readonly identities: readonly string[];
}

/** A point of the ROC curve with its pointwise band. */
export interface RocPoint extends Interval {
  /** False positive rate, a fraction. */
  readonly fpr: number;
  /** True positive rate, a fraction. */
  readonly tpr: number;
}

/** How RMIA fares against a model; rates are fractions, intervals cover 95 %, clustered by identity. */
export interface MembershipAttack {
  /** Area under the ROC curve. */
  readonly auc: number;
  /** Of the area, by resampled people. */
  readonly aucInterval: Interval;
  /** At {@link PAPER_FPR}; `resolved` tells whether there are non-members enough for it. */
  readonly tpr: TprAtFpr;
  /** Of the true positive rate, by resampled people. */
  readonly tprInterval: Interval;
  /** Of the TPR at `tpr.smallest.fpr`. */
  readonly smallestInterval: Interval;
  /** From the smallest resolved FPR to 1, evenly in the logarithm. */
  readonly roc: readonly RocPoint[];
  /** RMIA's score of each image, in the order given. */
  readonly scores: { readonly members: number[]; readonly nonMembers: number[] };
}

/** What {@link membershipAttack} is free to choose. */
export interface AttackSettings {
  /** Where draws come from. */
  readonly random: Random;
  /** a and gamma of Eq. 9. */
  readonly rmia?: RmiaSettings;
  /** Resamples of the bootstrap; default 1000. */
  readonly draws?: number;
}

const ROC_POINTS = 24;

/**
 * RMIA on an unlearned model (App. B): members are the images to forget, non-members those of test
 * people, z those of validation people, and the reference is the retrained model, unlearned likewise.
 *
 * @throws {RangeError} when a group is empty or a loss is not a finite number
 */
export function membershipAttack(
  members: AttackedImages,
  nonMembers: AttackedImages,
  z: PairedLosses,
  { random, rmia = RMIA_DEFAULTS, draws = 1000 }: AttackSettings,
): MembershipAttack {
  const inside = [...rmiaScores(members, z, rmia)];
  const outside = [...rmiaScores(nonMembers, z, rmia)];
  const smallest = 1 / outside.length;
  const rates = Array.from(
    { length: ROC_POINTS },
    (_, i) => smallest ** (1 - i / (ROC_POINTS - 1)),
  );
  const curve = truePositiveRates(inside, outside, rates);
  const rocOf = resampledRoc(inside, outside);
  const [aucInterval, tprInterval, smallestInterval, ...bands] = clusteredIntervals(
    [members.identities, nonMembers.identities],
    ([membersDrawn, nonMembersDrawn]) => {
      const { auc, truePositiveRates } = rocOf(membersDrawn, nonMembersDrawn);
      return [auc, ...truePositiveRates([PAPER_FPR, smallest, ...rates])];
    },
    { random, draws },
  );
  return {
    auc: areaUnderRoc(inside, outside),
    aucInterval,
    tpr: tprAtFpr(inside, outside, PAPER_FPR),
    tprInterval,
    smallestInterval,
    roc: rates.map((fpr, i) => ({ fpr, tpr: curve[i], ...bands[i] })),
    scores: { members: inside, nonMembers: outside },
  };
}
