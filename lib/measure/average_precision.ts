import { checkScores } from "./check_scores.ts";

/**
 * Average precision of one label, exactly: sum over thresholds of (R_k - R_k-1) P_k, equal scores
 * sharing a threshold, step interpolation (as scikit-learn's `average_precision_score`).
 *
 * @param scores any increasing function of the probability, one per image
 * @param targets 0 or 1 per image
 * @param keys room for as many numbers, which callers with many labels give again
 * @returns a fraction; null when no image is positive, NaN when a score is (a model that diverged)
 * @throws RangeError there are not as many targets as scores
 */
export function averagePrecision(
  scores: ArrayLike<number>,
  targets: ArrayLike<number>,
  keys?: Float64Array<ArrayBuffer>,
): number | null {
  checkScores(scores, targets, 1);
  if (scores instanceof Float32Array) {
    return ofFloats({ scores, targets }, 1, 0, scores.length, keys);
  }
  let positives = 0;
  for (let i = 0; i < targets.length; i++) positives += targets[i];
  if (positives === 0) return null;
  for (let i = 0; i < scores.length; i++) if (Number.isNaN(scores[i])) return NaN;
  const order = Array.from({ length: scores.length }, (_, i) => i)
    .sort((a, b) => scores[b] - scores[a]);
  return ofRanked(order.length, (i) => scores[order[i]], (i) => targets[order[i]], positives);
}

/**
 * @param score from the largest to the smallest, or any increasing function of it, by rank
 * @param target of the same rank
 */
function ofRanked(
  n: number,
  score: (rank: number) => number,
  target: (rank: number) => number,
  positives: number,
): number {
  let [found, recall, sum] = [0, 0, 0];
  for (let i = 0; i < n;) {
    const threshold = score(i);
    while (i < n && score(i) === threshold) found += target(i++);
    sum += (found / positives - recall) * (found / i);
    recall = found / positives;
  }
  return sum;
}

/** Scores and targets, [n, labels], row after row. */
interface Scored {
  readonly scores: ArrayLike<number>;
  readonly targets: ArrayLike<number>;
}

/**
 * Average precision of a column of floats, ten times faster: their bits as whole numbers in the floats'
 * order, and the target behind them, are sorted without a function to compare them by.
 *
 * @param keys room for n numbers, which callers with many columns give again
 */
function ofFloats(
  { scores, targets }: Scored,
  labels: number,
  label: number,
  n: number,
  keys = new Float64Array(n),
): number | null {
  const word = new Float32Array(1);
  const bits = new Uint32Array(word.buffer);
  let [positives, numbers] = [0, true];
  for (let i = 0; i < n; i++) {
    const at = i * labels + label;
    positives += targets[at];
    word[0] = scores[at] + 0; // minus zero is zero
    numbers &&= !Number.isNaN(word[0]);
    const place = (bits[0] & 0x80000000 ? ~bits[0] : bits[0] | 0x80000000) >>> 0;
    keys[i] = 2 * place + targets[at];
  }
  if (positives === 0) return null;
  if (!numbers) return NaN;
  keys.sort();
  return ofRanked(
    n,
    (rank) => Math.floor(keys[n - 1 - rank] / 2),
    (rank) => keys[n - 1 - rank] % 2,
    positives,
  );
}

/**
 * Average precision per label; null for a label without a positive. Inputs [n, labels], row after row.
 *
 * @throws RangeError they are not
 */
export function averagePrecisions(
  scores: ArrayLike<number>,
  targets: ArrayLike<number>,
  labels: number,
): (number | null)[] {
  checkScores(scores, targets, labels);
  const n = scores.length / labels;
  const keys = new Float64Array(n);
  return Array.from(
    { length: labels },
    (_, label) => ofFloats({ scores, targets }, labels, label, n, keys),
  );
}

/**
 * mAP: the mean average precision over the labels that have a positive.
 *
 * @param scores [n, labels], row after row
 * @param targets 0 or 1, [n, labels]
 * @returns a fraction; 0 when no label has a positive
 * @throws RangeError scores and targets are not both [n, labels]
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
