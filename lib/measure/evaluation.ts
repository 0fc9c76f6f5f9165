import type { Task } from "../data/sample.ts";
import { LetheError } from "../error.ts";
import { accuracy, accuracyPerClass } from "./accuracy.ts";
import { averagePrecisions, meanAveragePrecision, meanOfPresent } from "./average_precision.ts";
import { meanLoss } from "./loss.ts";

/** The parts that the benchmark measures (Sec. 5.1). */
export const MEASURED_PARTS = ["retain", "forget", "test"] as const;

/** How a model does on a set of images. */
export interface Evaluation {
  /** mAP or accuracy, a fraction; null where it is undefined: no label has a positive. */
  readonly metric: number | null;
  /** Mean task loss, nats. */
  readonly loss: number;
  /** How many. */
  readonly images: number;
  /** Average precision per label or accuracy per class; null where no image has it. */
  readonly perLabel: Readonly<Record<string, number | null>>;
}

/**
 * mAP for labels, accuracy for classes, a fraction; 0 where mAP is undefined, as objectives need a number.
 * Arrays are [n, labels], row after row. */
export function taskMetric(
  task: Task,
  logits: ArrayLike<number>,
  targets: ArrayLike<number>,
  labels: number,
): number {
  return task === "multi-label"
    ? meanAveragePrecision(logits, targets, labels)
    : accuracy(logits, targets, labels);
}

/** Whether the metric says anything: accuracy always does, mAP where a label has a positive. */
export function isDefined(task: Task, targets: ArrayLike<number>): boolean {
  if (task === "classes") return targets.length > 0;
  for (let i = 0; i < targets.length; i++) if (targets[i] > 0) return true;
  return false;
}

/**
 * An evaluation's metric for a table that has no gaps.
 *
 * @param part what was measured, for the error
 * @throws {LetheError} it is undefined
 */
export function definedMetric({ metric, perLabel }: Evaluation, part: string): number {
  if (metric !== null) return metric;
  const labels = Object.keys(perLabel);
  throw new LetheError(
    `no image of ${part} has any of the labels ${labels.slice(0, 5).join(", ")}` +
      (labels.length > 5 ? ` and ${labels.length - 5} more` : ""),
    "mAP is undefined without a positive",
    "choose labels that occur in every part, or more people",
  );
}

/** Metric, loss and per-label metrics of predictions. Arrays are [n, labels], row after row. */
export function evaluation(
  task: Task,
  logits: ArrayLike<number>,
  targets: ArrayLike<number>,
  labels: readonly string[],
): Evaluation {
  const each = (task === "multi-label" ? averagePrecisions : accuracyPerClass)(
    logits,
    targets,
    labels.length,
  );
  return {
    metric: !isDefined(task, targets)
      ? null
      : task === "multi-label"
      ? meanOfPresent(each)
      : accuracy(logits, targets, labels.length),
    loss: meanLoss(task, logits, targets, labels.length),
    images: logits.length / labels.length,
    perLabel: Object.fromEntries(labels.map((label, i) => [label, each[i]])),
  };
}
