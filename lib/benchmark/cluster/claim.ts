import { join } from "@std/path";
import { firstLine, LetheError } from "../../error.ts";
import { claimsIn, claimsOf, heartbeatOf, ownerOf, takeClaim } from "../../files/claim.ts";

/** Who makes a stage, and on what: part of the claim and, in the end, of the record. */
export interface Maker {
  /** The adapter that computes. */
  readonly adapter: string;
  /** The machine's name, where it says so. */
  readonly host: string;
}

/** How a claim is kept and watched. */
export interface ClaimTimes {
  /** Seconds between two heartbeats; default 5. */
  readonly beat?: number;
  /**
   * Seconds without a heartbeat after which a claim's owner is taken for dead; default 90, longer than
   * a network file system keeps what it knows of a file (60 s on Linux's NFS).
   */
  readonly deadAfter?: number;
}

/** A stage that this process alone makes, until it is released. */
export interface Claim extends Disposable {
  /** Rejects when somebody else has taken the stage over, since this process seemed dead. */
  readonly lost: Promise<never>;
  /** Keeps the claim as the record of who made the stage. */
  done(seconds: number): Promise<void>;
}

const BEAT = 5;
const DEAD_AFTER = 90;

/**
 * Claims a stage for this process, waiting while another one makes it.
 *
 * A claim is a file that was created exclusively, `<stage>.<n>`; its time of change is its heartbeat.
 * Clocks of different machines are never compared: whoever waits sees whether that time still changes.
 * When it has not for so long, its owner is dead, and the next number is created, again exclusively, so
 * that of several who wait one takes over. An owner who was only slow sees the higher number and stops.
 * Should both work for a while, nothing is lost: stages take their names whole, and are the same bytes.
 *
 * @param folder where claims lie, on a file system that all machines share
 * @param name the stage's
 * @param isDone whether the stage has been made, which ends the waiting
 * @param onWait called with who is waited for
 * @returns null where the stage has been made meanwhile
 */
export async function claimStage(
  folder: string,
  name: string,
  maker: Maker,
  isDone: () => Promise<boolean>,
  { beat = BEAT, deadAfter = DEAD_AFTER }: ClaimTimes = {},
  onWait?: (owner: string) => void,
): Promise<Claim | null> {
  await Deno.mkdir(folder, { recursive: true });
  let seen = { number: -1, time: NaN, since: 0 };
  for (;;) {
    if (await isDone()) return null;
    const newest = claimsOf(folder, name).at(-1);
    const number = newest?.number ?? -1;
    const time = newest ? heartbeatOf(newest.path) : NaN;
    if (number !== seen.number || !Object.is(time, seen.time)) {
      seen = { number, time, since: performance.now() };
    }
    const dead = Number.isNaN(time) || performance.now() - seen.since >= 1000 * deadAfter;
    if (dead) {
      const held = take(folder, name, number + 1, maker, beat);
      if (held === null) continue; // somebody else was quicker
      if (!await isDone()) return held;
      held[Symbol.dispose](); // made between the look and the claim
      return null;
    }
    onWait?.(inWords(newest!.path));
    await new Promise((resolve) => setTimeout(resolve, 1000 * Math.min(beat, deadAfter / 4)));
  }
}

/** Who holds each stage that somebody holds, by its name, as far as claims tell. */
export function claimants(folder: string): Map<string, string> {
  return new Map(
    [...claimsIn(folder)].map(([name, claims]) => [name, inWords(claims.at(-1)!.path)]),
  );
}

/** Where the record of a stage lies: who made it, on what adapter, in how many seconds. */
export function recordPath(folder: string, name: string): string {
  return join(folder, `${name}.json`);
}

/** The record of a stage; null where it was made by one that left none. */
export async function readRecord(
  folder: string,
  name: string,
): Promise<(Maker & { readonly seconds?: number }) | null> {
  try {
    const { adapter, host, seconds } = JSON.parse(
      await Deno.readTextFile(recordPath(folder, name)),
    );
    if (typeof adapter !== "string") return null;
    return {
      adapter,
      host: typeof host === "string" ? host : "",
      ...(Number.isFinite(seconds) ? { seconds } : {}),
    };
  } catch {
    return null;
  }
}

function take(
  folder: string,
  name: string,
  number: number,
  maker: Maker,
  beat: number,
): Claim | null {
  const held = created(
    folder,
    () => takeClaim(folder, name, { number, owner: maker, beat, takenOver: () => takenOver(name) }),
  );
  return held && {
    lost: held.lost,
    async done(seconds) {
      const record = { ...maker, seconds: Math.round(1000 * seconds) / 1000 };
      // On a full disk the stage counts all the same.
      await Deno.writeTextFile(held.path, JSON.stringify(record) + "\n").catch(() => {});
      await Deno.rename(held.path, recordPath(folder, name)).catch(() => {});
    },
    [Symbol.dispose]: () => held[Symbol.dispose](),
  };
}

function created<T>(folder: string, create: () => T): T {
  try {
    return create();
  } catch (error) {
    throw new LetheError(
      `no claim can be created in ${folder} (${firstLine(error)})`,
      "a stage is claimed by a file in the grid's folder",
      "make room there, or mend its rights",
      { cause: error },
    );
  }
}

function takenOver(name: string): LetheError {
  return new LetheError(
    `another process has taken ${name} over`,
    "a process without a heartbeat for so long counts as dead",
    "nothing is lost; give a longer --dead-after where machines stall",
  );
}

function inWords(path: string): string {
  const owner = ownerOf(path);
  if (owner === null) return "another process";
  return `${owner.host || "another machine"} (${owner.adapter})`;
}
