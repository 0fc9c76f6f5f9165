import type { Interval } from "../../measure/bootstrap.ts";

/**
 * Images of unseen people that each request is judged on. A request that changes the answer on one image
 * in twenty moves a metric of so many by 0.7 points from one sample to the next (a standard error of
 * sqrt(0.05 / 1024)), less than what epochs and candidates differ by; all 20,000 of CelebA's would
 * take twenty times as long and tell 0.2 points.
 */
export const UNSEEN_IMAGES = 1024;

/** What a model says of some images. */
export interface Judged {
  readonly indices: readonly number[];
  /** [n, labels], row after row. */
  readonly logits: Float32Array;
}

/**
 * What a judge of simulated requests measures: the forgotten people after their own request, and those
 * who stay and those who were never seen, each first by the original model and then after each request.
 */
export type Populations = Readonly<Record<"forget" | "retain" | "val", readonly Judged[]>>;

/** Some of the images, by their place. */
export function pick({ indices, logits }: Judged, places: readonly number[]): Judged {
  const width = logits.length / indices.length;
  const rows = new Float32Array(places.length * width);
  places.forEach((place, i) =>
    rows.set(logits.subarray(place * width, (place + 1) * width), i * width)
  );
  return { indices: places.map((place) => indices[place]), logits: rows };
}

/** One after the other. */
export function joined(parts: readonly Judged[]): Judged {
  const logits = new Float32Array(parts.reduce((sum, part) => sum + part.logits.length, 0));
  parts.reduce((at, part) => (logits.set(part.logits, at), at + part.logits.length), 0);
  return { indices: parts.flatMap(({ indices }) => indices), logits };
}

/** Groups that are left out in turn. */
const GROUPS = 20;
/** Of the normal distribution, two-sided 95 %. */
const SPREAD = 1.96;

/**
 * A 95 % interval of an estimate by the jackknife that leaves out a group of people at a time (Kott
 * 2001), since images of one person are not independent: within each population its people are dealt
 * into at most 20 groups, the estimate is repeated without each, and the populations' variances
 * (G - 1) / G sum_g (x_g - mean x)^2 add up.
 *
 * @param owners who is on an image, per population
 * @param value the estimate on everything
 * @returns cut to [0, 1]; undefined where a population shows one person, who cannot be left out, or where
 *   the estimate is no number
 */
export function intervalOf(
  populations: Populations,
  owners: Readonly<Record<keyof Populations, ReadonlyMap<number, number>>>,
  value: number,
  estimate: (populations: Populations) => { readonly tugOfWar: number },
): Interval | undefined {
  let variance = 0;
  for (const name of ["forget", "retain", "val"] as const) {
    const ownerOf = (index: number) => owners[name].get(index)!;
    const people = [...new Set(populations[name][0].indices.map(ownerOf))];
    const groups = Math.min(GROUPS, people.length);
    if (groups < 2) return undefined;
    const groupOf = new Map(people.map((person, i) => [person, i % groups]));
    const without = Array.from({ length: groups }, (_, group) => {
      const left = populations[name].map((judged) =>
        pick(
          judged,
          judged.indices.flatMap((index, i) => groupOf.get(ownerOf(index)) === group ? [] : [i]),
        )
      );
      return estimate({ ...populations, [name]: left }).tugOfWar;
    });
    const mean = without.reduce((sum, each) => sum + each, 0) / groups;
    const squares = without.reduce((sum, each) => sum + (each - mean) ** 2, 0);
    variance += (groups - 1) / groups * squares;
  }
  const reach = SPREAD * Math.sqrt(variance);
  if (Number.isNaN(reach)) return undefined;
  return { low: Math.max(0, value - reach), high: Math.min(1, value + reach) };
}
