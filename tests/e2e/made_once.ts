import { tmpdir } from "node:os";
import { join } from "@std/path";

/** Files that this test file holds by a shared lock as long as it lives, and the folder of each. */
const held = new Map<string, Deno.FsFile>();

globalThis.addEventListener("unload", () => {
  for (const [place, lock] of held) {
    lock.unlockSync();
    // Whoever is the last takes it away.
    if (lock.tryLockSync(true)) {
      Deno.removeSync(place, { recursive: true });
      Deno.removeSync(`${place}.lock`);
    }
    lock.close();
  }
});

/**
 * Makes something once for all test files of a run, which share a process.
 *
 * @param name what is made
 * @param make fills a folder, where no other test file has
 * @param use copies what it needs; the folder is the others' too
 */
export async function withMade(
  name: string,
  make: (folder: string) => Promise<void>,
  use: (folder: string) => Promise<void>,
): Promise<void> {
  const place = join(tmpdir(), `lethe-e2e-${name}-${Deno.pid}`);
  if (held.has(place)) return await use(place);
  const lock = await lockOf(place);
  const whole = join(place, "whole");
  if (!await Deno.lstat(whole).then(() => true, () => false)) {
    await Deno.remove(place, { recursive: true }).catch(() => {}); // half made
    await Deno.mkdir(place);
    await make(place);
    await Deno.writeTextFile(whole, "");
  }
  await use(place);
  // Held together with others from here on; who comes between may take it away, and the next makes it.
  await lock.unlock();
  await lock.lock(false);
  if (await isAt(lock, place)) held.set(place, lock);
  else lock.close();
}

/** The lock of a place, for this file alone. */
async function lockOf(place: string): Promise<Deno.FsFile> {
  for (;;) {
    const lock = await Deno.open(`${place}.lock`, { write: true, create: true });
    await lock.lock(true);
    if (await isAt(lock, place)) return lock;
    lock.close();
  }
}

/** Whether the lock is still the place's: its last holder takes both away. */
async function isAt(lock: Deno.FsFile, place: string): Promise<boolean> {
  const [now, own] = [await Deno.stat(`${place}.lock`).catch(() => null), await lock.stat()];
  return now?.ino === own.ino;
}
