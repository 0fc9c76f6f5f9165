/** The true positive rate at a false positive rate, and whether the non-members can tell it. */
export interface TprAtFpr {
  /** The false positive rate that was asked for, a fraction. */
  readonly fpr: number;
  /** Share of members above the threshold. */
  readonly tpr: number;
  /** False when there are fewer than 1 / fpr non-members: `tpr` is then the one at FPR 0. */
  readonly resolved: boolean;
  /** The smallest false positive rate above 0 that so many non-members resolve, and its `tpr`. */
  readonly smallest: { readonly fpr: number; readonly tpr: number };
}

/**
 * Area under the ROC curve: the chance that a member scores above a non-member, ties counted half.
 *
 * @throws {RangeError} when there is no member or no non-member
 */
export function areaUnderRoc(members: ArrayLike<number>, nonMembers: ArrayLike<number>): number {
  checkScores(members, nonMembers);
  const negatives = Float64Array.from(nonMembers).sort();
  let [wins, below, notAbove] = [0, 0, 0];
  for (const score of Float64Array.from(members).sort()) {
    while (below < negatives.length && negatives[below] < score) below++;
    while (notAbove < negatives.length && negatives[notAbove] <= score) notAbove++;
    wins += (below + notAbove) / 2;
  }
  return wins / (members.length * negatives.length);
}

/**
 * The share of members that score above the threshold at which at most a share `fpr` of the
 * non-members does: the (floor(fpr n) + 1)-th highest non-member score, exceeded strictly.
 *
 * @param fpr false positive rate, in [0, 1)
 * @throws {RangeError} when there is no member or no non-member, or `fpr` is out of range
 */
export function tprAtFpr(
  members: ArrayLike<number>,
  nonMembers: ArrayLike<number>,
  fpr: number,
): TprAtFpr {
  if (!(fpr >= 0 && fpr < 1)) throw new RangeError(`the FPR is ${fpr}, not in [0, 1)`);
  const n = nonMembers.length;
  const [tpr, smallest] = truePositiveRates(members, nonMembers, [fpr, 1 / n]);
  return {
    fpr,
    tpr,
    resolved: falsePositives(fpr, n) >= 1,
    smallest: { fpr: 1 / n, tpr: smallest },
  };
}

/**
 * Points of the ROC curve: the true positive rate at each false positive rate, as {@link tprAtFpr}.
 *
 * @param fprs in [0, 1]
 * @throws {RangeError} when there is no member or no non-member
 */
export function truePositiveRates(
  members: ArrayLike<number>,
  nonMembers: ArrayLike<number>,
  fprs: readonly number[],
): number[] {
  checkScores(members, nonMembers);
  const negatives = Float64Array.from(nonMembers).sort().reverse();
  const positives = Float64Array.from(members).sort();
  return fprs.map((fpr) => {
    const allowed = falsePositives(fpr, negatives.length);
    // With every non-member allowed above it, there is no threshold left.
    const threshold = allowed < negatives.length ? negatives[allowed] : -Infinity;
    let [low, high] = [0, positives.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (positives[middle] > threshold) high = middle;
      else low = middle + 1;
    }
    return (positives.length - low) / positives.length;
  });
}

/** 0.29 * 100 is 28.999999999999996: products a rounding error below a whole number count as it. */
export function falsePositives(fpr: number, nonMembers: number): number {
  return Math.floor(fpr * nonMembers * (1 + 4 * Number.EPSILON));
}

/**
 * A curve needs both kinds of scores.
 *
 * @throws {RangeError} when there is no member or no non-member
 */
export function checkScores(members: ArrayLike<number>, nonMembers: ArrayLike<number>): void {
  if (members.length === 0 || nonMembers.length === 0) {
    throw new RangeError(`${members.length} members and ${nonMembers.length} non-members`);
  }
}
