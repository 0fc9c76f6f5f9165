import { basename, dirname, resolve } from "@std/path";
import { LetheError } from "../error.ts";
import { claimsOf, type FoundClaim, heartbeatOf, ownerOf, takeClaim } from "./claim.ts";
import { holdFile, isHeld } from "./file_lock.ts";
import { hostName } from "./host_name.ts";
import { whileMaking } from "./kept_when_interrupted.ts";
import { cannotWrite, refuseExisting } from "./write_whole.ts";

/** Seconds between two heartbeats. */
const BEAT = 5;
/** Seconds without a heartbeat after which an owner that no lock tells of is taken for dead. */
const DEAD_AFTER = 90;
/** An output that this process alone makes, until it is disposed of. */
export interface OutputClaim extends Disposable {
  /** The claim's file; it stays where this process is killed. */
  readonly path: string;
}

/** Seconds within which whoever has created a claim holds its lock, many times what that takes. */
const LOCKED_AFTER = 1;
/** Seconds for which the lock on one's own claim is tried: others look at it, nobody keeps it. */
const TRIED_FOR = 10;

/**
 * Claims an output for this process until it is disposed of, so that a second run into the same place
 * is refused at once and not when it has computed to its end.
 *
 * The claim is `.NAME.claim.<n>` beside the output, and its owner holds a lock on it, which the system
 * lets go of however the process ends: a claim without one is a dead process's, and is taken over.
 * Another machine's lock may not be seen, so there the heartbeat counts.
 *
 * @param out the file or folder to make; it must not exist. Missing parent folders are made
 * @param keeps from what an interrupted run goes on, for its last words
 * @throws LetheError `out` exists, somebody else makes it, or nothing can be written there
 */
export async function claimOutput(
  out: string,
  keeps: readonly string[] = [],
): Promise<OutputClaim> {
  await refuseExisting(out);
  const path = resolve(out);
  const [folder, name] = [dirname(path), `.${basename(path)}.claim`];
  const held: Disposable[] = [];
  const release = () => {
    for (const each of held.splice(0).reverse()) each[Symbol.dispose]();
  };
  try {
    held.push(await makeFolder(folder));
    for (let look = 0; look < 100; look++) {
      const claims = claimsOf(folder, name);
      await refuseLiving(out, claims);
      const own = takeClaim(folder, name, {
        number: (claims.at(-1)?.number ?? -1) + 1,
        owner: { host: hostName(), pid: Deno.pid, since: new Date().toISOString() },
        beat: BEAT,
        takenOver: () => inUse(out, claimsOf(folder, name).at(-1)),
      });
      if (own === null) continue; // somebody else was quicker; the next look shows who
      const file = openOwn(own.path);
      if (file === null) { // taken for dead before it was locked; the next look shows by whom
        own[Symbol.dispose]();
        continue;
      }
      held.push(own, file, whileMaking(out, keeps));
      // Some file systems have no locks. Without one that others see, the claim is nobody's.
      if (!await holdFile(file, true, TRIED_FOR).catch(() => true)) throw inUse(out, own);
      // Two may have found a dead owner at once; by now both are there to be seen.
      await refuseLiving(out, claimsOf(folder, name).filter(({ path }) => path !== own.path));
      await refuseExisting(out); // another may have ended between the first look and the claim
      return { path: own.path, [Symbol.dispose]: release };
    }
    throw inUse(out, claimsOf(folder, name).at(-1)); // many others, each a moment quicker
  } catch (error) {
    release();
    throw error instanceof LetheError ? error : cannotWrite(out, error);
  }
}

async function refuseLiving(out: string, claims: readonly FoundClaim[]): Promise<void> {
  for (const claim of claims) if (await isAlive(claim)) throw inUse(out, claim);
}

function inUse(out: string, claim: { readonly path: string } | undefined): LetheError {
  const { host, pid, since } = ownerOf(claim?.path ?? "") ?? {};
  const who = `process ${pid ?? "of unknown number"}${host ? ` on ${host}` : ""}`;
  return new LetheError(
    `${out} is being made by ${who}${since ? ` since ${since}` : ""}`,
    "one run at a time makes an output",
    `wait for it or name another place${claim ? `; if it is dead, remove ${claim.path}` : ""}`,
  );
}

/** Whether a claim's owner lives, as far as can be told from here. */
async function isAlive({ path }: FoundClaim): Promise<boolean> {
  for (;;) {
    const locked = await isHeld(path);
    if (locked) return true;
    const age = (Date.now() - heartbeatOf(path)) / 1000;
    if (Number.isNaN(age)) return false; // it is gone
    const owner = ownerOf(path);
    const here = owner === null || owner.host === hostName();
    if (locked === null || !here) return Math.abs(age) < DEAD_AFTER;
    if (age < 0 || age >= LOCKED_AFTER) return false;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

/** Opens one's own claim, at once after it was made: who looks at it waits for its lock. */
function openOwn(path: string): Deno.FsFile | null {
  try {
    return Deno.openSync(path, { read: true, write: true });
  } catch {
    return null;
  }
}

/** Makes a folder with its parents. @returns removes again those that are still empty */
async function makeFolder(folder: string): Promise<Disposable> {
  const made: string[] = [];
  let at = folder;
  while (!await Deno.stat(at).then(() => true, () => false) && at !== dirname(at)) {
    made.push(at);
    at = dirname(at);
  }
  await Deno.mkdir(folder, { recursive: true });
  return {
    [Symbol.dispose]() {
      for (const path of made) {
        try {
          Deno.removeSync(path);
        } catch {
          return; // something lies there
        }
      }
    },
  };
}
