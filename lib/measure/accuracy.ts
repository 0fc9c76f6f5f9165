/**
 * Index of the largest of `labels` values from `offset` on; the first of equal ones, -1 when all
 * are NaN.
 */
function argMax(rows: ArrayLike<number>, offset: number, labels: number): number {
  let [best, largest] = [-1, -Infinity];
  for (let c = 0; c < labels; c++) {
    const value = rows[offset + c];
    if (value > largest || (best < 0 && value === largest)) [best, largest] = [c, value];
  }
  return best;
}

/**
 * Share of images whose largest logit is their class.
 *
 * @param logits [n, classes], row after row
 * @param targets one-hot, [n, classes]
 * @returns a fraction; 0 for no image
 */
export function accuracy(
  logits: ArrayLike<number>,
  targets: ArrayLike<number>,
  classes: number,
): number {
  const n = logits.length / classes;
  let right = 0;
  for (let i = 0; i < n; i++) {
    const from = i * classes;
    if (argMax(logits, from, classes) === argMax(targets, from, classes)) right++;
  }
  return n === 0 ? 0 : right / n;
}

/** Accuracy among the images of each class; null for a class without an image. */
export function accuracyPerClass(
  logits: ArrayLike<number>,
  targets: ArrayLike<number>,
  classes: number,
): (number | null)[] {
  const right = new Array(classes).fill(0);
  const images = new Array(classes).fill(0);
  for (let i = 0; i < logits.length / classes; i++) {
    const actual = argMax(targets, i * classes, classes);
    images[actual]++;
    if (argMax(logits, i * classes, classes) === actual) right[actual]++;
  }
  return images.map((count, c) => count === 0 ? null : right[c] / count);
}
