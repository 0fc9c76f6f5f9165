/** Of the time that passes, the share that may go into the work. */
const SHARE = 1 / 20;

/**
 * Does work that takes the longer the more there is of it, such as writing down all that is known so far,
 * no more often than that it takes a twentieth of the time. After each of many steps it would take time
 * that grows with the square of their number.
 *
 * @param clock milliseconds
 * @returns to be called after each step: does the work, or leaves it to a later call
 */
export function nowAndThen(
  work: () => Promise<unknown>,
  clock: () => number = () => performance.now(),
): () => Promise<void> {
  let due = -Infinity;
  return async () => {
    const began = clock();
    if (began < due) return;
    await work();
    const ended = clock();
    due = ended + (ended - began) / SHARE;
  };
}
