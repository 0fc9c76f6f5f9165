/** Looks whether a signal has come, and then does not return. */
type Look = () => void;

let start: (() => Promise<Look>) | null = null;
let look: Look = () => {};

/**
 * Has long computing look for signals, which reach a thread only where it gives the event loop a turn.
 *
 * @param begin called once, by {@link beginLooking}: looking takes a thread of its own
 */
export function lookWhileComputing(begin: () => Promise<Look>): void {
  start = begin;
}

/** To be called before computing that holds the thread for long. */
export async function beginLooking(): Promise<void> {
  const begin = start;
  start = null;
  if (begin !== null) look = await begin();
}

/** Ends the process if a signal has come: called between the parts of such computing. */
export function lookForSignal(): void {
  look();
}
