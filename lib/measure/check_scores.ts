/**
 * Refuses scores and targets that are not rows of the same images: a metric of them would be a number all
 * the same.
 *
 * @param scores [n, columns], row after row
 * @param targets [n, columns]
 * @param columns labels or classes
 * @throws RangeError there are not as many of either, or the last row is not whole
 */
export function checkScores(
  scores: ArrayLike<number>,
  targets: ArrayLike<number>,
  columns: number,
): void {
  const whole = Number.isSafeInteger(columns) && columns > 0 && scores.length % columns === 0;
  if (whole && scores.length === targets.length) return;
  throw new RangeError(
    `${scores.length} scores and ${targets.length} targets; both are [images, ${columns}], row after row`,
  );
}
