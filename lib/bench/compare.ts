/** A figure that was measured several times. */
export interface Spread {
  readonly median: number;
  readonly min: number;
  readonly max: number;
}

/** Two ways to compute the same thing, timed by turns. */
export interface Comparison {
  /** Seconds. */
  readonly ours: Spread;
  /** Seconds. */
  readonly stock: Spread;
  /** How many times faster ours is, pair by pair: stock seconds over ours. */
  readonly ratio: Spread;
  readonly repetitions: number;
}

/** How long to measure. */
export interface Effort {
  /** Pairs of turns at most, at least 1. */
  readonly repetitions: number;
  /** Seconds after which no further pair is begun, once there are {@link ENOUGH_PAIRS}. */
  readonly seconds: number;
  /**
   * Seconds that a turn lasts at least: short work is queued many times over and waited for once, since
   * waiting for an adapter takes ten milliseconds by itself.
   */
  readonly turn: number;
}

/** Pairs that make a spread, however long they take. */
const ENOUGH_PAIRS = 3;

/** Median (the mean of the middle two), least and largest of at least one number. */
export function spread(values: readonly number[]): Spread {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = (sorted.length - 1) / 2;
  return {
    median: (sorted[Math.floor(middle)] + sorted[Math.ceil(middle)]) / 2,
    min: sorted[0],
    max: sorted[sorted.length - 1],
  };
}

/** Which of the two. */
export type Side = "ours" | "stock";

/** Does its work that many times and ends when the results of all are there. */
export type Run = (times: number) => Promise<void>;

/** Work queued at once at most. */
const MOST_TIMES = 200;

async function timed(run: Run, times: number): Promise<number> {
  const start = performance.now();
  await run(times);
  return (performance.now() - start) / 1000;
}

/** How many times make a turn. */
async function timesPerTurn(run: Run, first: number, turn: number): Promise<number> {
  // The first run compiles: only one that is far too long needs no second.
  if (first > 20 * turn) return 1;
  const one = await timed(run, 1);
  if (one > turn) return 1;
  const ten = await timed(run, 10);
  const each = Math.max((ten - one) / 9, one / 1000, 1e-6);
  return Math.min(MOST_TIMES, Math.ceil(turn / each));
}

/**
 * Times two functions by turns: a warm-up of each (programs are compiled), then ours, stock, ours,
 * stock. What else the machine does falls on both alike, and each pair gives a ratio.
 *
 * @param warmUp runs the first one of each, e.g. to watch its memory
 */
export async function compare(
  runs: Readonly<Record<Side, Run>>,
  { repetitions, seconds, turn }: Effort,
  warmUp: (run: () => Promise<void>, side: Side) => Promise<void> = (run) => run(),
): Promise<Comparison> {
  const perTurn = async (side: Side) => {
    const first = await timed(() => warmUp(() => runs[side](1), side), 1);
    return timesPerTurn(runs[side], first, turn);
  };
  const times = { ours: await perTurn("ours"), stock: await perTurn("stock") };
  const take = async (side: Side) => await timed(runs[side], times[side]) / times[side];
  const start = performance.now();
  const pairs: [number, number][] = [];
  do {
    pairs.push([await take("ours"), await take("stock")]);
  } while (
    pairs.length < Math.min(repetitions, ENOUGH_PAIRS) ||
    pairs.length < repetitions && performance.now() - start < seconds * 1000
  );
  return {
    ours: spread(pairs.map(([own]) => own)),
    stock: spread(pairs.map(([, other]) => other)),
    ratio: spread(pairs.map(([own, other]) => other / own)),
    repetitions: pairs.length,
  };
}
