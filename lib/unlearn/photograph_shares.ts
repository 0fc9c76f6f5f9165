import * as tf from "@tensorflow/tfjs";

/**
 * What each support photograph counts of its person, so that a person weighs as one however many
 * photographs they gave: one over the number of their photographs.
 *
 * @param people of each photograph, in any numbering
 * @returns undefined where everybody gave one
 */
export function photographShares(people: readonly number[]): number[] | undefined {
  const counts = new Map<number, number>();
  for (const person of people) counts.set(person, (counts.get(person) ?? 0) + 1);
  if (counts.size === people.length) return undefined;
  return people.map((person) => 1 / counts.get(person)!);
}

/** The rows of a matrix [b, n], each [1, n]; the caller disposes them. */
export function rowsOf(matrix: tf.Tensor): tf.Tensor[] {
  return Array.from({ length: matrix.shape[0] }, (_, i) => tf.slice(matrix, [i, 0], [1, -1]));
}

/**
 * The mean over people of the mean over their photographs of a loss, in place of the mean over
 * photographs.
 *
 * @param loss of some logits and targets: a mean over their rows, differentiable in the logits
 * @param logits [b, labels]
 * @param targets b rows, each [1, labels]; constants, so made outside of what is differentiated
 * @param people whose photograph each row is
 * @returns a scalar; it and what it is made of are freed by the caller's tidy
 */
export function meanOverPeople(
  loss: (logits: tf.Tensor, targets: tf.Tensor) => tf.Scalar,
  logits: tf.Tensor,
  targets: readonly tf.Tensor[],
  people: readonly number[],
): tf.Scalar {
  const count = new Set(people).size;
  const shares = photographShares(people) ?? people.map(() => 1);
  return shares
    .map((share, i) => tf.mul(loss(tf.slice(logits, [i, 0], [1, -1]), targets[i]), share / count))
    // Not tf.addN: its shader would bind more buffers than a WebGPU adapter allows.
    .reduce((sum, term) => tf.add(sum, term)) as tf.Scalar;
}
