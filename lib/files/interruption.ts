/** What is to be done before an interrupted process ends. */
const duties = new Set<() => Promise<void>>();

/**
 * Has work done before this process ends by a signal: for what an `unload` listener, which cannot wait,
 * cannot do.
 *
 * @returns takes the duty back
 */
export function beforeInterruption(duty: () => Promise<void>): () => void {
  duties.add(duty);
  return () => void duties.delete(duty);
}

/** Whether there is something to be done. */
export function hasDuties(): boolean {
  return duties.size > 0;
}

let ending = false;

/** Whether the process is about to end: what its children still say is about that. */
export function isInterrupted(): boolean {
  return ending;
}

let givenUp = false;

/**
 * The process ends by a signal, and what it was making is given up: from here on nothing takes its name,
 * and nobody is told of a result.
 */
export function giveUp(): void {
  givenUp = true;
}

/** Whether {@link giveUp} was called. */
export function hasGivenUp(): boolean {
  return givenUp;
}

/** To be awaited before an output takes its name: where all was given up, it waits until the process ends. */
export async function unlessGivenUp(): Promise<void> {
  if (givenUp) await new Promise<never>(() => {});
}

/** Does all that is to be done, and waits for it no longer than two seconds. */
export async function interrupted(): Promise<void> {
  ending = true;
  const done = Promise.allSettled([...duties].map((duty) => duty()));
  let timer: ReturnType<typeof setTimeout> | undefined;
  await Promise.race([done, new Promise((resolve) => timer = setTimeout(resolve, 2000))]);
  clearTimeout(timer);
}
