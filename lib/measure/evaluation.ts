import type { Task } from "../data/sample.ts";
import { accuracy, accuracyPerClass } from "./accuracy.ts";
import { averagePrecisions, meanAveragePrecision } from "./average_precision.ts";
import { meanLoss } from "./loss.ts";

/** How a model does on a set of images. */
export interface Evaluation {
  /** mAP or accuracy, a fraction. */
  readonly metric: number;
  /** Mean task loss, nats. */
  readonly loss: number;
  readonly images: number;
  /** Average precision per label or accuracy per class; null where no image has it. */
  readonly perLabel: Readonly<Record<string, number | null>>;
}

/** mAP for labels, accuracy for classes, a fraction. Arrays are [n, labels], row after row. */
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
    metric: taskMetric(task, logits, targets, labels.length),
    loss: meanLoss(task, logits, targets, labels.length),
    images: logits.length / labels.length,
    perLabel: Object.fromEntries(labels.map((label, i) => [label, each[i]])),
  };
}
