/** What is to be gone when this thread ends. */
const paths = new Set<string>();

globalThis.addEventListener("unload", () => {
  for (const path of paths) {
    // Once more where a write that was under way has filled the folder again.
    for (let attempt = 0; attempt < 3 && !removed(path); attempt++);
  }
});

/**
 * Runs `work`, at whose end nothing lies at `path`: when it returns (having moved what it made to its
 * own name), when it throws, and when the process exits meanwhile, as on Ctrl-C. A process that is
 * killed outright leaves the path behind.
 *
 * @param path file or folder that `work` makes; absolute, since the working folder may change
 */
export async function withTemporaryPath<T>(path: string, work: () => Promise<T>): Promise<T> {
  paths.add(path);
  try {
    return await work();
  } finally {
    await Deno.remove(path, { recursive: true }).catch(() => {});
    paths.delete(path);
  }
}

/** Has a file or folder removed when the process exits. @param path absolute @returns takes that back */
export function removeAtExit(path: string): () => void {
  paths.add(path);
  return () => void paths.delete(path);
}

/** Removes at once, since an `unload` listener cannot wait. @returns whether nothing is there any more */
export function removed(path: string): boolean {
  try {
    Deno.removeSync(path, { recursive: true });
    return true;
  } catch (error) {
    return error instanceof Deno.errors.NotFound;
  }
}
