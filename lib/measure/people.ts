import type { Task } from "../data/sample.ts";
import { taskMetric } from "./evaluation.ts";
import { sampleLosses } from "./loss.ts";

/** A model's predictions of some images, and whom each shows. */
export interface PredictedImages {
  /** Whom each image shows. */
  readonly identities: readonly string[];
  /** [n, labels], row after row. */
  readonly logits: ArrayLike<number>;
  /** As the logits: 0 or 1, or one-hot. */
  readonly targets: ArrayLike<number>;
}

/** How a model does on one person's images. */
export interface PersonMetrics {
  /** How many. */
  readonly images: number;
  /** mAP or accuracy over the person's images, a fraction. Few images make a coarse one. */
  readonly metric: number;
  /** Mean task loss, nats. */
  readonly loss: number;
}

/** Metric and loss of each person. */
export function perPerson(
  task: Task,
  { identities, logits, targets }: PredictedImages,
  labels: number,
): Map<string, PersonMetrics> {
  const rowsOf = (rows: ArrayLike<number>, positions: readonly number[]) =>
    Float32Array.from(
      { length: positions.length * labels },
      (_, k) => rows[positions[Math.floor(k / labels)] * labels + k % labels],
    );
  return metricsOfPeople(
    task,
    identities,
    sampleLosses(task, logits, targets, labels),
    (places) => ({ logits: rowsOf(logits, places), targets: rowsOf(targets, places) }),
    labels,
  );
}

/**
 * As {@link perPerson}, of predictions that are not in memory.
 *
 * @param losses of each image
 * @param rowsAt the rows of one person's images
 */
export function metricsOfPeople(
  task: Task,
  identities: readonly string[],
  losses: ArrayLike<number>,
  rowsAt: (places: readonly number[]) => Omit<PredictedImages, "identities">,
  labels: number,
): Map<string, PersonMetrics> {
  return new Map(
    [...positionsByPerson(identities)].map(([identity, positions]) => {
      const { logits, targets } = rowsAt(positions);
      return [identity, {
        images: positions.length,
        metric: taskMetric(task, logits, targets, labels),
        loss: positions.reduce((sum, i) => sum + losses[i], 0) / positions.length,
      }];
    }),
  );
}

/** The positions of each person's images, people in the order of their first image. */
export function positionsByPerson(identities: readonly string[]): Map<string, number[]> {
  const people = new Map<string, number[]>();
  identities.forEach((identity, position) => {
    const own = people.get(identity);
    if (own) own.push(position);
    else people.set(identity, [position]);
  });
  return people;
}
