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
  const order = Uint32Array.from({ length: scores.length }, (_, i) => i)
    .sort((a, b) => scores[b] - scores[a]);
  let positives = 0;
  for (let i = 0; i < targets.length; i++) positives += targets[i];
  if (positives === 0) return null;
  for (let i = 0; i < scores.length; i++) if (Number.isNaN(scores[i])) return NaN;
  let [found, recall, sum] = [0, 0, 0];
  for (let i = 0; i < order.length;) {
    const threshold = scores[order[i]];
    while (i < order.length && scores[order[i]] === threshold) found += targets[order[i++]];
    sum += (found / positives - recall) * (found / i);
    recall = found / positives;
  }
  return sum;
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
  const present = averagePrecisions(scores, targets, labels).filter((ap) => ap !== null);
  return present.length === 0 ? 0 : present.reduce((sum, ap) => sum + ap, 0) / present.length;
}
