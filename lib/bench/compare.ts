/** A figure that was measured several times. */
export interface Spread {
  readonly median: number;
  readonly min: number;
  readonly max: number;
}

/** Two ways to compute the same thing, timed by turns. */
export interface Comparison {
  /** Seconds per run. */
  readonly ours: Spread;
  /** Seconds per run. */
  readonly stock: Spread;
  /** How many times faster ours is, pair by pair: stock seconds over ours. */
  readonly ratio: Spread;
  readonly repetitions: number;
}

/** How long to measure. */
export interface Effort {
  /** Pairs of runs at most, at least 1. */
  readonly repetitions: number;
  /** Seconds after which no further pair is begun. */
  readonly seconds: number;
}

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

/** Seconds that a run takes, per run of `count`. */
async function timed(run: () => Promise<void>, count: number): Promise<number> {
  const start = performance.now();
  for (let i = 0; i < count; i++) await run();
  return (performance.now() - start) / 1000 / count;
}

/** A turn shorter than this is made of several runs, so that the clock's and the queue's grain is lost. */
const SHORTEST_TURN = 0.02;

/**
 * Times two functions by turns: one warm-up of each (programs are compiled), then ours, stock, ours,
 * stock. What else the machine does falls on both alike, and each pair gives a ratio.
 *
 * @param ours ends when its results are there
 * @param stock the same
 */
export async function compare(
  ours: () => Promise<void>,
  stock: () => Promise<void>,
  { repetitions, seconds }: Effort,
): Promise<Comparison> {
  const warmUp = async (run: () => Promise<void>) => {
    await run();
    return Math.ceil(SHORTEST_TURN / Math.max(await timed(run, 1), 1e-6));
  };
  const counts = [await warmUp(ours), await warmUp(stock)];
  const start = performance.now();
  const pairs: [number, number][] = [];
  do {
    pairs.push([await timed(ours, counts[0]), await timed(stock, counts[1])]);
  } while (pairs.length < repetitions && performance.now() - start < seconds * 1000);
  return {
    ours: spread(pairs.map(([own]) => own)),
    stock: spread(pairs.map(([, other]) => other)),
    ratio: spread(pairs.map(([own, other]) => other / own)),
    repetitions: pairs.length,
  };
}
