import type { Task } from "../data/sample.ts";

/**
 * Task loss of each image, on the host in float64. Labels: binary cross entropy, mean over labels;
 * classes: cross entropy.
 *
 * @param logits [n, labels], row after row
 * @param targets [n, labels]: 0 or 1, or one-hot
 * @returns n losses, in nats
 */
export function sampleLosses(
  task: Task,
  logits: ArrayLike<number>,
  targets: ArrayLike<number>,
  labels: number,
): Float64Array {
  const losses = new Float64Array(logits.length / labels);
  for (let i = 0; i < losses.length; i++) {
    const from = i * labels;
    losses[i] = task === "multi-label"
      ? binaryCrossEntropy(logits, targets, from, labels)
      : crossEntropy(logits, targets, from, labels);
  }
  return losses;
}

/** Mean task loss over the images, NaN for none; see {@link sampleLosses}. */
export function meanLoss(
  task: Task,
  logits: ArrayLike<number>,
  targets: ArrayLike<number>,
  labels: number,
): number {
  const losses = sampleLosses(task, logits, targets, labels);
  return losses.reduce((sum, loss) => sum + loss, 0) / losses.length;
}

function binaryCrossEntropy(
  logits: ArrayLike<number>,
  targets: ArrayLike<number>,
  from: number,
  labels: number,
): number {
  let sum = 0;
  for (let c = from; c < from + labels; c++) {
    const x = logits[c];
    sum += Math.max(x, 0) - x * targets[c] + Math.log1p(Math.exp(-Math.abs(x)));
  }
  return sum / labels;
}

function crossEntropy(
  logits: ArrayLike<number>,
  targets: ArrayLike<number>,
  from: number,
  labels: number,
): number {
  let [top, own] = [from, 0];
  for (let c = from; c < from + labels; c++) {
    if (logits[c] > logits[top]) top = c;
    own += targets[c] * logits[c];
  }
  // Without the largest one's own term, a loss near 0 keeps its digits.
  let rest = 0;
  for (let c = from; c < from + labels; c++) {
    if (c !== top) rest += Math.exp(logits[c] - logits[top]);
  }
  return logits[top] - own + Math.log1p(rest);
}

/**
 * Mean binary cross entropy of each label over the images.
 *
 * @param logits [n, labels], row after row
 * @param targets 0 or 1, [n, labels]
 * @returns one mean loss per label, in nats
 */
export function labelLosses(
  logits: ArrayLike<number>,
  targets: ArrayLike<number>,
  labels: number,
): Float64Array {
  const losses = new Float64Array(labels);
  const n = logits.length / labels;
  for (let i = 0; i < logits.length; i++) {
    const x = logits[i];
    const loss = Math.max(x, 0) - x * targets[i] + Math.log1p(Math.exp(-Math.abs(x)));
    losses[i % labels] += loss / n;
  }
  return losses;
}
