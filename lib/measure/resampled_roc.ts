import { checkScores, falsePositives } from "./roc.ts";

/** The ROC curve of a resample in which each image counts as often as it was drawn. */
export interface ResampledRoc {
  /** As `areaUnderRoc`. */
  readonly auc: number;
  /** As `truePositiveRates`. @param fprs in [0, 1] */
  truePositiveRates(fprs: readonly number[]): number[];
}

/**
 * The ROC curves of resamples of the same scores. Scores are ranked once, so that a resample takes
 * time linear in the images, and neither sorts nor copies them.
 *
 * @returns the curve when each member and each non-member counts so often; good until the next one is
 *   asked for. Its numbers are those of `areaUnderRoc` and `truePositiveRates` on lists in which the
 *   images are repeated, bit for bit
 * @throws {RangeError} when there is no member or no non-member
 */
export function resampledRoc(
  members: ArrayLike<number>,
  nonMembers: ArrayLike<number>,
): (members: ArrayLike<number>, nonMembers: ArrayLike<number>) => ResampledRoc {
  checkScores(members, nonMembers);
  const values = new Float64Array(members.length + nonMembers.length);
  values.set(members);
  values.set(nonMembers, members.length);
  const distinct = values.sort().filter((value, i) => i === 0 || value !== values[i - 1]);
  const [memberRanks, otherRanks] = [
    ranksAmong(members, distinct),
    ranksAmong(nonMembers, distinct),
  ];
  // At each rank, and from the next one: images that score at least as high as the rank says.
  const inside = new Float64Array(distinct.length + 1);
  const outside = new Float64Array(distinct.length + 1);
  return (memberTimes, otherTimes) => {
    countAtLeast(inside, memberRanks, memberTimes);
    countAtLeast(outside, otherRanks, otherTimes);
    const [positives, negatives] = [inside[0], outside[0]];
    let wins = 0;
    for (let rank = 0; rank < distinct.length; rank++) {
      const below = negatives - outside[rank];
      const level = outside[rank] - outside[rank + 1];
      wins += (inside[rank] - inside[rank + 1]) * (below + level / 2);
    }
    return {
      auc: wins / (positives * negatives),
      truePositiveRates: (fprs) =>
        fprs.map((fpr) => {
          const allowed = falsePositives(fpr, negatives);
          if (allowed >= negatives) return 1;
          // The threshold is the lowest rank above which there are no more non-members than that.
          let [low, high] = [0, distinct.length];
          while (low < high) {
            const middle = (low + high) >> 1;
            if (outside[middle + 1] > allowed) low = middle + 1;
            else high = middle;
          }
          return inside[low + 1] / positives;
        }),
    };
  };
}

/** The place of each score in a sorted list that holds it. */
function ranksAmong(scores: ArrayLike<number>, distinct: Float64Array): Uint32Array {
  return Uint32Array.from(scores, (score) => {
    let [low, high] = [0, distinct.length - 1];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (distinct[middle] < score) low = middle + 1;
      else high = middle;
    }
    return low;
  });
}

/** Fills `counts[rank]` with how many score at that rank or above. */
function countAtLeast(counts: Float64Array, ranks: Uint32Array, times: ArrayLike<number>): void {
  counts.fill(0);
  for (let i = 0; i < ranks.length; i++) counts[ranks[i]] += times[i];
  for (let rank = counts.length - 2; rank >= 0; rank--) counts[rank] += counts[rank + 1];
}
