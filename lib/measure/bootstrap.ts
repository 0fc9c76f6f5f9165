import type { Random } from "../tensor/random.ts";
import { positionsByPerson } from "./clusters.ts";

/** A percentile interval. */
export interface Interval {
  readonly low: number;
  readonly high: number;
}

/** How {@link clusteredInterval} draws. */
export interface BootstrapSettings {
  readonly random: Random;
  /** Number of resamples. */
  readonly draws?: number;
  /** Share of the resamples that the interval covers, in (0, 1). */
  readonly level?: number;
}

/**
 * Bootstrap interval of a statistic, clustered by identity: people are drawn with replacement, each
 * with all their images, since images of one person are not independent.
 *
 * @param populations identity of each image, per population (members and non-members, say), which are
 *   resampled independently of each other
 * @param statistic of resampled images: per population, their positions in it
 * @param settings 1000 draws and level 0.95 unless they say otherwise
 * @throws {RangeError} when a population is empty, or draws or level are out of range
 */
export function clusteredInterval(
  populations: readonly (readonly string[])[],
  statistic: (positions: readonly (readonly number[])[]) => number,
  settings: BootstrapSettings,
): Interval {
  return clusteredIntervals(populations, (positions) => [statistic(positions)], settings)[0];
}

/**
 * As {@link clusteredInterval} for several statistics of the same resamples: one pointwise interval
 * each (a band, where they are the points of a curve).
 *
 * @param statistics of resampled images, always as many
 */
export function clusteredIntervals(
  populations: readonly (readonly string[])[],
  statistics: (positions: readonly (readonly number[])[]) => readonly number[],
  { random, draws = 1000, level = 0.95 }: BootstrapSettings,
): Interval[] {
  if (!(level > 0 && level < 1)) throw new RangeError(`the level is ${level}, not in (0, 1)`);
  if (!(draws >= 1)) throw new RangeError(`there are ${draws} draws`);
  const clusters = populations.map(clustersOf);
  const resamples = Array.from(
    { length: draws },
    () =>
      statistics(
        clusters.map((people) => people.flatMap(() => people[random.integer(people.length)])),
      ),
  );
  const tail = (1 - level) / 2;
  return resamples[0].map((_, k) => {
    const values = Float64Array.from(resamples, (each) => each[k]).sort();
    return { low: quantile(values, tail), high: quantile(values, 1 - tail) };
  });
}

function clustersOf(identities: readonly string[]): number[][] {
  if (identities.length === 0) throw new RangeError("a population is empty");
  return [...positionsByPerson(identities).values()];
}

/** Linear between the two nearest of some sorted values. */
function quantile(sorted: Float64Array, share: number): number {
  const at = share * (sorted.length - 1);
  const [below, above] = [sorted[Math.floor(at)], sorted[Math.ceil(at)]];
  return below + (at - Math.floor(at)) * (above - below);
}
