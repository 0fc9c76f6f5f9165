let under = 0;
let idle = Promise.withResolvers<void>();

/**
 * Does short work that an interrupted process shall still finish: what has been computed for minutes is
 * written, two files that belong together are both there.
 */
export async function finishBeforeExit<T>(work: () => Promise<T>): Promise<T> {
  under++;
  try {
    return await work();
  } finally {
    if (--under === 0) {
      idle.resolve();
      idle = Promise.withResolvers();
    }
  }
}

/** Whether there is such work. */
export function isFinishing(): boolean {
  return under > 0;
}

/** Waits until none of it is left. */
export async function finished(): Promise<void> {
  if (under > 0) await idle.promise;
}
