import type { Random } from "../random.ts";
import { positionsByPerson } from "./people.ts";

/** A percentile interval. */
export interface Interval {
  /** Lower end. */
  readonly low: number;
  /** Upper end. */
  readonly high: number;
}

/** How {@link clusteredInterval} draws. */
export interface BootstrapSettings {
  /** Where draws come from. */
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
 * @param statistic of a resample: per population, how often each of its images was drawn. The arrays
 *   are filled anew for the next resample
 * @param settings 1000 draws and level 0.95 unless they say otherwise
 * @throws {RangeError} when a population is empty, or draws or level are out of range
 */
export function clusteredInterval(
  populations: readonly (readonly string[])[],
  statistic: (drawn: readonly Float64Array[]) => number,
  settings: BootstrapSettings,
): Interval {
  return clusteredIntervals(populations, (drawn) => [statistic(drawn)], settings)[0];
}

/**
 * As {@link clusteredInterval} for several statistics of the same resamples: one pointwise interval
 * each (a band, where they are the points of a curve).
 *
 * @param statistics of a resample, always as many
 */
export function clusteredIntervals(
  populations: readonly (readonly string[])[],
  statistics: (drawn: readonly Float64Array[]) => readonly number[],
  { random, draws = 1000, level = 0.95 }: BootstrapSettings,
): Interval[] {
  if (!(level > 0 && level < 1)) throw new RangeError(`the level is ${level}, not in (0, 1)`);
  if (!(draws >= 1)) throw new RangeError(`there are ${draws} draws`);
  const resample = populations.map(resampler);
  const results = Array.from(
    { length: draws },
    () => statistics(resample.map((draw) => draw(random))),
  );
  const tail = (1 - level) / 2;
  return results[0].map((_, k) => {
    const values = Float64Array.from(results, (each) => each[k]).sort();
    return { low: quantile(values, tail), high: quantile(values, 1 - tail) };
  });
}

/** Draws as many people as there are, with replacement, and counts them at each of their images. */
function resampler(identities: readonly string[]): (random: Random) => Float64Array {
  if (identities.length === 0) throw new RangeError("a population is empty");
  const personOf = new Uint32Array(identities.length);
  const people = [...positionsByPerson(identities).values()];
  people.forEach((positions, person) => positions.forEach((i) => personOf[i] = person));
  const times = new Uint32Array(people.length);
  const drawn = new Float64Array(identities.length);
  return (random) => {
    times.fill(0);
    for (let i = 0; i < times.length; i++) times[random.integer(times.length)]++;
    for (let i = 0; i < drawn.length; i++) drawn[i] = times[personOf[i]];
    return drawn;
  };
}

/** Linear between the two nearest of some sorted values. */
function quantile(sorted: Float64Array, share: number): number {
  const at = share * (sorted.length - 1);
  const [below, above] = [sorted[Math.floor(at)], sorted[Math.ceil(at)]];
  return below + (at - Math.floor(at)) * (above - below);
}
