/**
 * Average precision of one label, exactly: sum over thresholds of (R_k - R_k-1) P_k, equal scores
 * sharing a threshold, step interpolation (as scikit-learn's `average_precision_score`).
 *
 * @param scores any increasing function of the probability, one per image
 * @param targets 0 or 1 per image
 * @returns a fraction; null when no image is positive, NaN when a score is (a model that diverged)
 */
export function averagePrecision(
  scores: ArrayLike<number>,
  targets: ArrayLike<number>,
): number | null {
  let positives = 0;
  for (let i = 0; i < targets.length; i++) positives += targets[i];
  if (positives === 0) return null;
  for (let i = 0; i < scores.length; i++) if (Number.isNaN(scores[i])) return NaN;
  const { thresholds, positive } = scores instanceof Float32Array
    ? rankedFloats(scores, targets)
    : ranked(scores, targets);
  let [found, recall, sum] = [0, 0, 0];
  for (let i = 0; i < thresholds.length;) {
    const threshold = thresholds[i];
    while (i < thresholds.length && thresholds[i] === threshold) found += positive[i++];
    sum += (found / positives - recall) * (found / i);
    recall = found / positives;
  }
  return sum;
}

/** Scores from the largest to the smallest, or any increasing function of them, and their targets. */
interface Ranking {
  readonly thresholds: ArrayLike<number>;
  readonly positive: ArrayLike<number>;
}

function ranked(scores: ArrayLike<number>, targets: ArrayLike<number>): Ranking {
  const order = Array.from({ length: scores.length }, (_, i) => i)
    .sort((a, b) => scores[b] - scores[a]);
  return { thresholds: order.map((i) => scores[i]), positive: order.map((i) => targets[i]) };
}

/**
 * The same of floats, ten times faster: their bits as whole numbers in the floats' order, and the target
 * behind them, are sorted without a function to compare them by.
 */
function rankedFloats(scores: Float32Array, targets: ArrayLike<number>): Ranking {
  // Minus zero is zero.
  const bits = new Uint32Array(scores.map((score) => score + 0).buffer);
  const keys = new Float64Array(scores.length);
  bits.forEach((word, i) => {
    const place = (word & 0x80000000 ? ~word : word | 0x80000000) >>> 0;
    keys[i] = 2 * place + targets[i];
  });
  keys.sort().reverse();
  return {
    thresholds: keys.map((key) => Math.floor(key / 2)),
    positive: keys.map((key) => key % 2),
  };
}

/** Average precision per label; null for a label without a positive. Inputs [n, labels], row after row. */
export function averagePrecisions(
  scores: ArrayLike<number>,
  targets: ArrayLike<number>,
  labels: number,
): (number | null)[] {
  const n = scores.length / labels;
  return Array.from({ length: labels }, (_, label) => {
    const column = (rows: ArrayLike<number>) =>
      Float32Array.from({ length: n }, (_, i) => rows[i * labels + label]);
    return averagePrecision(column(scores), column(targets));
  });
}

/**
 * mAP: the mean average precision over the labels that have a positive.
 *
 * @param scores [n, labels], row after row
 * @param targets 0 or 1, [n, labels]
 * @returns a fraction; 0 when no label has a positive
 */
export function meanAveragePrecision(
  scores: ArrayLike<number>,
  targets: ArrayLike<number>,
  labels: number,
): number {
  return meanOfPresent(averagePrecisions(scores, targets, labels));
}

/** The mean of average precisions over the labels that have one; 0 where none has. */
export function meanOfPresent(precisions: readonly (number | null)[]): number {
  const present = precisions.filter((precision) => precision !== null);
  return present.length === 0 ? 0 : present.reduce((sum, ap) => sum + ap, 0) / present.length;
}
