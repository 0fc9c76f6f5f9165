/** Milliseconds between two tries. */
const PAUSE = 5;

/**
 * Holds a lock on an open file until it is closed; the system lets go of it however the process ends.
 *
 * Whoever only looks whether the file is held ({@link isHeld}) holds it itself for a moment, so one
 * refusal says nothing yet: it is tried again until the time is over.
 *
 * @param exclusive whether nobody else may hold it; otherwise others may, who want the same
 * @param seconds for how long it is tried, far longer than a look takes
 * @returns false where somebody else holds it
 * @throws what Deno says where the file system has no locks
 */
export async function holdFile(
  file: Deno.FsFile,
  exclusive: boolean,
  seconds = 0.2,
): Promise<boolean> {
  const end = performance.now() + 1000 * seconds;
  // Without a wait before the first try: between opening and holding nothing else of this process runs.
  while (!file.tryLockSync(exclusive)) {
    if (performance.now() >= end) return false;
    await new Promise((resolve) => setTimeout(resolve, PAUSE));
  }
  return true;
}

/**
 * Whether somebody holds a file's lock.
 *
 * @param shared whether those who share it count; otherwise only who holds it alone
 * @returns null where that cannot be told: the file is gone, or the file system has no locks
 */
export async function isHeld(path: string, shared = false): Promise<boolean | null> {
  // To be read and not written: where locks are kept by a server, that decides which may be asked for.
  const file = await Deno.open(path, { read: true }).catch(() => null);
  if (file === null) return null;
  try {
    return !file.tryLockSync(shared); // not alone: two who look at once do not see each other
  } catch {
    return null;
  } finally {
    file.close();
  }
}
