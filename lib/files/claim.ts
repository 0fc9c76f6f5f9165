import { join } from "@std/path";
import type { LetheError } from "../error.ts";

/** What this process alone may make, until it is disposed of. */
export interface HeldClaim extends Disposable {
  /** The claim's file. */
  readonly path: string;
  /** Rejects when somebody else has taken it over, since this process seemed dead. */
  readonly lost: Promise<never>;
}

/**
 * A claim as it lies on the disk: a file that was created exclusively, `<name>.<number>`; its time of
 * change is its heartbeat. Whoever takes it over creates the next number, again exclusively, so that
 * of several who try one succeeds; an owner who was only slow sees the higher number.
 */
export interface FoundClaim {
  readonly number: number;
  readonly path: string;
}

/** The claims of a name, in rising order. */
export function claimsOf(folder: string, name: string): FoundClaim[] {
  return claimsIn(folder).get(name) ?? [];
}

/** All claims of a folder by their names, in rising order: one look, where a folder has thousands. */
export function claimsIn(folder: string): Map<string, FoundClaim[]> {
  const claims = new Map<string, FoundClaim[]>();
  try {
    for (const { name: file } of Deno.readDirSync(folder)) {
      const [, name, number] = /^(.+)\.(\d+)$/.exec(file) ?? [];
      if (name === undefined) continue;
      const claim = { number: Number(number), path: join(folder, file) };
      claims.set(name, [...claims.get(name) ?? [], claim].sort((a, b) => a.number - b.number));
    }
  } catch {
    // No such folder.
  }
  return claims;
}

/** Milliseconds, as the file system gives them; NaN where the file is gone. */
export function heartbeatOf(path: string): number {
  try {
    return Deno.statSync(path).mtime?.getTime() ?? 0;
  } catch {
    return NaN;
  }
}

/** What a claim says of its owner; null where it is empty, damaged or gone. */
export function ownerOf(path: string): Readonly<Record<string, unknown>> | null {
  try {
    const owner = JSON.parse(Deno.readTextFileSync(path));
    return typeof owner === "object" ? owner : null;
  } catch {
    return null;
  }
}

/** How {@link takeClaim} claims. */
export interface TakeOptions {
  /** One more than the highest that there is. */
  readonly number: number;
  /** JSON of who claims it. */
  readonly owner: unknown;
  /** Seconds between two heartbeats. */
  readonly beat: number;
  /** What an owner is told whose claim was taken over. */
  readonly takenOver: () => LetheError;
}

/**
 * Creates a claim, keeps its heart beating and removes those before it, whose owners are dead.
 *
 * @returns null where somebody else was quicker
 * @throws what Deno says where it cannot be created
 */
export function takeClaim(
  folder: string,
  name: string,
  { number, owner, beat, takenOver }: TakeOptions,
): HeldClaim | null {
  const path = join(folder, `${name}.${number}`);
  if (!create(path, JSON.stringify(owner) + "\n")) return null;
  for (const old of claimsOf(folder, name)) if (old.number < number) remove(old.path);
  const lost = Promise.withResolvers<never>();
  lost.promise.catch(() => {}); // told to whoever waits for it
  const timer = setInterval(() => {
    if (claimsOf(folder, name).some((other) => other.number > number)) lost.reject(takenOver());
    try {
      // Times alone: they can be set on a full disk too.
      const now = new Date();
      Deno.utimeSync(path, now, now);
    } catch {
      // Gone or unreachable; another heartbeat may reach it.
    }
  }, 1000 * beat);
  const release = () => {
    clearInterval(timer);
    remove(path);
  };
  globalThis.addEventListener("unload", release);
  return {
    path,
    lost: lost.promise,
    [Symbol.dispose]() {
      globalThis.removeEventListener("unload", release);
      release();
    },
  };
}

/** @returns whether this process created it */
function create(path: string, text: string): boolean {
  try {
    using file = Deno.openSync(path, { write: true, createNew: true });
    try {
      file.writeSync(new TextEncoder().encode(text));
    } catch {
      // On a full disk an empty claim holds as well.
    }
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.AlreadyExists) return false;
    throw error;
  }
}

function remove(path: string): void {
  try {
    Deno.removeSync(path);
  } catch {
    // Somebody else has removed it.
  }
}
