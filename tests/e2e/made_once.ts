import { join } from "@std/path";
import { ofThisRun } from "../data/temporary_folder.ts";

/** What this test file uses, by its folder: a lock that it shares with the others as long as it lives. */
const used = new Map<string, Deno.FsFile>();

globalThis.addEventListener("unload", () => {
  for (const [place, alive] of used) {
    const lock = Deno.openSync(lockPath(place), { write: true, create: true });
    lock.lockSync(true);
    alive.unlockSync();
    // Whoever is the last takes it away.
    if (alive.tryLockSync(true)) {
      for (const path of [place, alivePath(place), lockPath(place)]) {
        Deno.removeSync(path, { recursive: true });
      }
    }
    alive.close();
    lock.close();
  }
});

const lockPath = (place: string) => `${place}.lock`;
const alivePath = (place: string) => `${place}.alive`;

/**
 * Makes something once for all test files of a run, which share a process.
 *
 * @param name what is made
 * @param make fills a folder, where no other test file has
 * @returns the folder, to copy from: it is the others' too
 */
export async function madeOnce(
  name: string,
  make: (folder: string) => Promise<void>,
): Promise<string> {
  const place = ofThisRun(name);
  if (used.has(place)) return place;
  const lock = await lockOf(place);
  try {
    const whole = join(place, "whole");
    if (!await Deno.lstat(whole).then(() => true, () => false)) {
      await Deno.remove(place, { recursive: true }).catch(() => {}); // half made
      await Deno.mkdir(place);
      await make(place);
      await Deno.writeTextFile(whole, "");
    }
    const alive = await Deno.open(alivePath(place), { write: true, create: true });
    await alive.lock(false);
    used.set(place, alive);
  } finally {
    lock.close();
  }
  return place;
}

/** The lock of a place, for this file alone; under it the place is made and taken away. */
async function lockOf(place: string): Promise<Deno.FsFile> {
  for (;;) {
    const lock = await Deno.open(lockPath(place), { write: true, create: true });
    await lock.lock(true);
    const [now, own] = [await Deno.stat(lockPath(place)).catch(() => null), await lock.stat()];
    if (now?.ino === own.ino) return lock;
    lock.close(); // it was taken away with the place meanwhile
  }
}
