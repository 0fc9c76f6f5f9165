let under = 0;
let told: (busy: boolean) => void = () => {};
let idle = Promise.withResolvers<void>();

/**
 * Does short work that an interrupted process shall still finish: what has been computed for minutes is
 * written, two files that belong together are both there.
 */
export async function finishBeforeExit<T>(work: () => Promise<T>): Promise<T> {
  if (under++ === 0) told(true);
  try {
    return await work();
  } finally {
    if (--under === 0) {
      told(false);
      idle.resolve();
      idle = Promise.withResolvers();
    }
  }
}

/** Tells when such work begins, and when none of it is left: for a thread that another one ends. */
export function tellFinishing(listener: (busy: boolean) => void): void {
  told = listener;
}

/** Whether there is such work. */
export function isFinishing(): boolean {
  return under > 0;
}

/** Waits until none of it is left. */
export async function finished(): Promise<void> {
  if (under > 0) await idle.promise;
}
