import type { Task } from "../data/sample.ts";
import { accuracyCounts } from "./accuracy.ts";
import { averagePrecision, meanOfPresent } from "./average_precision.ts";
import type { Evaluation } from "./evaluation.ts";
import { sampleLosses } from "./loss.ts";
import { openScoreColumns } from "./score_columns.ts";

/** What a model says of images, batch after batch. */
export interface StreamedEvaluation extends Disposable {
  /** Adds images' logits and targets, [n, labels], row after row. */
  add(logits: Float32Array, targets: Uint8Array): void;
  /** What `evaluation` says of all of them together, bit for bit; one for each choice of labels. */
  finish(): Evaluation[];
}

/**
 * Evaluates images as they come, so that their number hardly matters to memory.
 *
 * @param images how many there will be
 * @param choices labels that count, by their place; classes always count all
 */
export function streamEvaluation(
  task: Task,
  labels: readonly string[],
  images: number,
  choices: readonly (readonly number[])[],
): StreamedEvaluation {
  return task === "classes"
    ? streamClasses(labels, choices.length)
    : streamLabels(labels, images, choices);
}

function streamLabels(
  labels: readonly string[],
  images: number,
  choices: readonly (readonly number[])[],
): StreamedEvaluation {
  const width = labels.length;
  const columns = openScoreColumns(width, images);
  const losses = choices.map((choice) => lossOf("multi-label", choice.length));
  let count = 0;
  return {
    add(logits, targets) {
      columns.add(logits, targets);
      count += targets.length / width;
      choices.forEach((choice, i) => {
        const all = choice.length === width && choice.every((label, place) => label === place);
        if (all) losses[i].add(logits, targets);
        else losses[i].add(pick(logits, width, choice), pick(targets, width, choice));
      });
    },
    finish() {
      const keys = new Float64Array(count);
      const known = new Map<number, number | null>();
      for (const label of new Set(choices.flat())) {
        const { scores, targets } = columns.column(label);
        known.set(label, averagePrecision(scores, targets, keys));
      }
      return choices.map((choice, i) => {
        const each = choice.map((label) => known.get(label)!);
        return {
          metric: each.every((precision) => precision === null) ? null : meanOfPresent(each),
          loss: losses[i].mean(),
          images: count,
          perLabel: Object.fromEntries(choice.map((label, k) => [labels[label], each[k]])),
        };
      });
    },
    [Symbol.dispose]: () => columns[Symbol.dispose](),
  };
}

function streamClasses(labels: readonly string[], choices: number): StreamedEvaluation {
  const counts = accuracyCounts(labels.length);
  const loss = lossOf("classes", labels.length);
  return {
    add(logits, targets) {
      counts.add(logits, targets);
      loss.add(logits, targets);
    },
    finish() {
      const { images, accuracy, perClass } = counts.result();
      const perLabel = Object.fromEntries(labels.map((label, i) => [label, perClass[i]]));
      const metric = images === 0 ? null : accuracy;
      return Array.from(
        { length: choices },
        () => ({ metric, loss: loss.mean(), images, perLabel }),
      );
    },
    [Symbol.dispose]() {},
  };
}

/** The mean task loss, summed in the images' order. */
function lossOf(task: Task, labels: number) {
  let [sum, images] = [0, 0];
  return {
    add(logits: ArrayLike<number>, targets: ArrayLike<number>): void {
      for (const loss of sampleLosses(task, logits, targets, labels)) {
        sum += loss;
        images++;
      }
    },
    mean: () => sum / images,
  };
}

/** Some columns of rows, in the order of the choice. */
function pick(rows: ArrayLike<number>, width: number, choice: readonly number[]): number[] {
  const picked: number[] = [];
  for (let at = 0; at < rows.length; at += width) {
    for (const column of choice) picked.push(rows[at + column]);
  }
  return picked;
}
