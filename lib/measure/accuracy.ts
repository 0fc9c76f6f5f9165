import { checkScores } from "./check_scores.ts";

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

/** Images counted, and among them those whose largest logit is their class. */
export interface AccuracyCounts {
  /**
   * Adds images. @param logits [n, classes], row after row @param targets one-hot, [n, classes]
   *
   * @throws RangeError they are not
   */
  add(logits: ArrayLike<number>, targets: ArrayLike<number>): void;
  /** What they come to so far. */
  result(): CountedAccuracy;
}

/** Shares of counted images, fractions. */
export interface CountedAccuracy {
  /** How many. */
  readonly images: number;
  /** Of all; 0 of no image. */
  readonly accuracy: number;
  /** Of each class; null for one without an image. */
  readonly perClass: (number | null)[];
}

/** Counts from nothing. @param classes how many there are */
export function accuracyCounts(classes: number): AccuracyCounts {
  const right = new Array<number>(classes).fill(0);
  const images = new Array<number>(classes).fill(0);
  return {
    add(logits, targets) {
      checkScores(logits, targets, classes);
      for (let from = 0; from < logits.length; from += classes) {
        const actual = argMax(targets, from, classes);
        images[actual]++;
        if (argMax(logits, from, classes) === actual) right[actual]++;
      }
    },
    result() {
      const sum = (counts: readonly number[]) => counts.reduce((a, b) => a + b, 0);
      const all = sum(images);
      return {
        images: all,
        accuracy: all === 0 ? 0 : sum(right) / all,
        perClass: images.map((count, c) => count === 0 ? null : right[c] / count),
      };
    },
  };
}

/**
 * Share of images whose largest logit is their class.
 *
 * @param logits [n, classes], row after row
 * @param targets one-hot, [n, classes]
 * @returns a fraction; 0 for no image
 * @throws RangeError logits and targets are not both [n, classes]
 */
export function accuracy(
  logits: ArrayLike<number>,
  targets: ArrayLike<number>,
  classes: number,
): number {
  const counts = accuracyCounts(classes);
  counts.add(logits, targets);
  return counts.result().accuracy;
}

/** Accuracy among the images of each class; null for a class without an image. */
export function accuracyPerClass(
  logits: ArrayLike<number>,
  targets: ArrayLike<number>,
  classes: number,
): (number | null)[] {
  const counts = accuracyCounts(classes);
  counts.add(logits, targets);
  return counts.result().perClass;
}
