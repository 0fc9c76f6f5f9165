import { hasGivenUp, unlessGivenUp } from "./interruption.ts";

let under = 0;
let told: (busy: boolean) => void = () => {};
let idle = Promise.withResolvers<void>();

/**
 * Does short work that an interrupted process shall still finish: what has been computed for minutes is
 * written, two files that belong together are both there.
 */
export async function finishBeforeExit<T>(work: () => Promise<T>): Promise<T> {
  if (hasGivenUp()) await unlessGivenUp();
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

let isOut = false;

/** Finishes so what a command was started for: once it is done, a signal no longer makes the run a broken one. */
export function lastStep<T>(work: () => Promise<T> | T): Promise<T> {
  return finishBeforeExit(async () => {
    const result = await work();
    isOut = true;
    return result;
  });
}

/** Whether the {@link lastStep} is done. */
export function resultIsOut(): boolean {
  return isOut;
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
