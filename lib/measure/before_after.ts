import type { Task } from "../data/sample.ts";
import type { Random } from "../random.ts";
import { clusteredIntervals, type Interval } from "./bootstrap.ts";
import { sampleLosses } from "./loss.ts";

/** A figure of a model before and after a change, with 95 % intervals by person. */
export interface Compared {
  readonly before: number;
  readonly after: number;
  /** after - before. */
  readonly change: number;
  readonly intervals: { before: Interval; after: Interval; change: Interval };
}

/** Two models on the same images. */
export interface BeforeAfter {
  /** mAP or accuracy, fractions; null where no label has a positive. */
  readonly metric: Compared | null;
  /** Mean task loss, nats. */
  readonly loss: Compared;
  /** Average precision per label or accuracy per class; null where no image has it. */
  readonly perLabel: Readonly<Record<string, Compared | null>>;
}

/** Two models' logits of the same images. Arrays are [n, labels], row after row. */
export interface PredictedTwice {
  readonly before: ArrayLike<number>;
  readonly after: ArrayLike<number>;
  readonly targets: ArrayLike<number>;
  /** Of each image. */
  readonly identities: readonly string[];
}

/**
 * Compares two models on the same images. People are resampled with all their images, the same ones for
 * both models, so that the interval of the change is of the change.
 *
 * @param labels names of the columns
 * @param draws resamples
 */
export function compareBeforeAfter(
  task: Task,
  { before, after, targets, identities }: PredictedTwice,
  labels: readonly string[],
  random: Random,
  draws = 1000,
): BeforeAfter {
  const models = [before, after].map((logits) => ({
    losses: sampleLosses(task, logits, targets, labels.length),
    figures: labels.map((_, label) =>
      task === "multi-label"
        ? precisionOf(logits, targets, label, labels.length)
        : accuracyOf(logits, targets, label, labels.length)
    ),
    overall: task === "classes" ? accuracyOf(logits, targets, null, labels.length) : null,
  }));
  // Statistics in a fixed order: loss, metric, then each label, of both models.
  const statistics = (drawn: ArrayLike<number>) =>
    models.flatMap(({ losses, figures, overall }) => {
      const each = figures.map((figure) => figure(drawn));
      return [mean(losses, drawn), overall ? overall(drawn) : meanOf(each), ...each];
    });
  const [whole] = [new Float64Array(identities.length).fill(1)].map(statistics);
  const width = whole.length / 2;
  const intervals = clusteredIntervals([identities], ([drawn]) => {
    const values = statistics(drawn);
    const changes = values.slice(width).map((value, i) => value - values[i]);
    // A label that a resample has no positive of tells nothing there.
    return [...values, ...changes].map((value, i) =>
      Number.isNaN(value) ? [...whole, ...changeOf(whole, width)][i] : value
    );
  }, { random, draws });
  const compared = (i: number): Compared | null => {
    const [was, is] = [whole[i], whole[width + i]];
    if (Number.isNaN(was) || Number.isNaN(is)) return null;
    return {
      before: was,
      after: is,
      change: is - was,
      intervals: {
        before: intervals[i],
        after: intervals[width + i],
        change: intervals[2 * width + i],
      },
    };
  };
  return {
    loss: compared(0)!,
    metric: compared(1),
    perLabel: Object.fromEntries(labels.map((label, i) => [label, compared(2 + i)])),
  };
}

function changeOf(values: readonly number[], width: number): number[] {
  return values.slice(width).map((value, i) => value - values[i]);
}

function mean(values: ArrayLike<number>, drawn: ArrayLike<number>): number {
  let [sum, count] = [0, 0];
  for (let i = 0; i < values.length; i++) {
    sum += drawn[i] * values[i];
    count += drawn[i];
  }
  return sum / count;
}

/** Of those that are numbers; NaN of none. */
function meanOf(values: readonly number[]): number {
  const known = values.filter((value) => !Number.isNaN(value));
  return known.reduce((sum, value) => sum + value, 0) / known.length;
}

/**
 * Average precision of a label where each image counts as often as it was drawn, as `averagePrecision`
 * defines it; NaN without a positive. The images are put in order once.
 */
function precisionOf(
  logits: ArrayLike<number>,
  targets: ArrayLike<number>,
  label: number,
  labels: number,
): (drawn: ArrayLike<number>) => number {
  const n = logits.length / labels;
  const scores = Float64Array.from({ length: n }, (_, i) => logits[i * labels + label]);
  const order = Uint32Array.from({ length: n }, (_, i) => i)
    .sort((a, b) => scores[b] - scores[a]);
  const positive = Uint8Array.from({ length: n }, (_, i) => targets[i * labels + label]);
  return (drawn) => {
    let positives = 0;
    for (let i = 0; i < n; i++) positives += drawn[i] * positive[i];
    if (positives === 0) return NaN;
    let [found, seen, recall, sum] = [0, 0, 0, 0];
    for (let i = 0; i < n;) {
      const threshold = scores[order[i]];
      for (; i < n && scores[order[i]] === threshold; i++) {
        found += drawn[order[i]] * positive[order[i]];
        seen += drawn[order[i]];
      }
      // Nobody of these images was drawn: nothing is found, and no precision is asked for.
      if (seen > 0) sum += (found / positives - recall) * (found / seen);
      recall = found / positives;
    }
    return sum;
  };
}

/** Accuracy over the images of a class, or over all; NaN without any. */
function accuracyOf(
  logits: ArrayLike<number>,
  targets: ArrayLike<number>,
  label: number | null,
  labels: number,
): (drawn: ArrayLike<number>) => number {
  const n = logits.length / labels;
  const highest = (rows: ArrayLike<number>, i: number) => {
    let top = 0;
    for (let c = 1; c < labels; c++) if (rows[i * labels + c] > rows[i * labels + top]) top = c;
    return top;
  };
  const own = Array.from({ length: n }, (_, i) => highest(targets, i));
  const right = Uint8Array.from(own, (top, i) => Number(highest(logits, i) === top));
  return (drawn) => {
    let [sum, count] = [0, 0];
    for (let i = 0; i < n; i++) {
      if (label !== null && own[i] !== label) continue;
      sum += drawn[i] * right[i];
      count += drawn[i];
    }
    return sum / count;
  };
}
