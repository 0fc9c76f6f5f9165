/** Features of images, and whom each shows. */
export interface FeaturedImages {
  /** Whom each image shows. */
  readonly identities: readonly string[];
  /** CLS features after the final norm, [n, dim], row after row; or what gives them, some rows at a time. */
  readonly features: ArrayLike<number> | (() => Iterable<ArrayLike<number>>);
}

/** A point of a figure, binned: people whose distances lie in [from, to]. */
export interface Bin {
  /** Nearest distance of the bin. */
  readonly from: number;
  /** Farthest distance of the bin. */
  readonly to: number;
  /** How many. */
  readonly people: number;
  /** Mean of the values in it. */
  readonly mean: number;
}

/** The mean feature of each person's images, in float64. */
export function centroids(images: FeaturedImages, dim: number): Map<string, Float64Array> {
  const { identities, features } = images;
  const means = new Map<string, { readonly mean: Float64Array; images: number }>();
  for (const identity of identities) {
    const own = means.get(identity) ?? { mean: new Float64Array(dim), images: 0 };
    own.images++;
    means.set(identity, own);
  }
  let position = 0;
  for (const rows of typeof features === "function" ? features() : [features]) {
    for (let at = 0; at < rows.length; at += dim) {
      const { mean, images } = means.get(identities[position++])!;
      for (let k = 0; k < dim; k++) mean[k] += rows[at + k] / images;
    }
  }
  return new Map([...means].map(([identity, { mean }]) => [identity, mean]));
}

/** Euclidean distance. */
export function distanceBetween(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let sum = 0;
  for (let k = 0; k < a.length; k++) sum += (a[k] - b[k]) ** 2;
  return Math.sqrt(sum);
}

/**
 * Unlearning hardness (Sec. 5.4, Fig. 4): per forgotten person the Euclidean distance in feature space
 * between the support image and the centroid of the images to forget.
 *
 * @param support one image per person
 * @throws {RangeError} when someone to forget has no support image
 */
export function supportDistances(
  support: FeaturedImages,
  forget: FeaturedImages,
  dim: number,
): Map<string, number> {
  const supports = centroids(support, dim);
  return new Map(
    [...centroids(forget, dim)].map(([identity, centroid]) => {
      const own = supports.get(identity);
      if (!own) throw new RangeError(`${identity} has no support image`);
      return [identity, distanceBetween(own, centroid)];
    }),
  );
}

/**
 * Nearness to the forgotten (Sec. 5.5, Fig. 5): per retained person the nearest centroid of a forgotten
 * person's images to the centroid of their own, and its Euclidean distance.
 *
 * @throws {RangeError} when nobody is forgotten
 */
export function nearestForgotten(
  retain: FeaturedImages,
  forget: FeaturedImages,
  dim: number,
): Map<string, { nearest: string; distance: number }> {
  const targets = [...centroids(forget, dim)];
  if (targets.length === 0) throw new RangeError("nobody is forgotten");
  return new Map(
    [...centroids(retain, dim)].map(([identity, own]) => {
      const distances = targets.map(([nearest, centroid]) => ({
        nearest,
        distance: distanceBetween(own, centroid),
      }));
      return [identity, distances.reduce((a, b) => b.distance < a.distance ? b : a)];
    }),
  );
}

/**
 * Points sorted by distance into bins of equally many people (to within one).
 *
 * @param bins how many at most; fewer where there are fewer points
 */
export function binByDistance(
  points: readonly { readonly distance: number; readonly value: number }[],
  bins: number,
): Bin[] {
  const sorted = points.toSorted((a, b) => a.distance - b.distance);
  const count = Math.min(bins, sorted.length);
  return Array.from({ length: count }, (_, b) => {
    const from = Math.floor(b * sorted.length / count);
    const own = sorted.slice(from, Math.floor((b + 1) * sorted.length / count));
    return {
      from: own[0].distance,
      to: own[own.length - 1].distance,
      people: own.length,
      mean: own.reduce((sum, { value }) => sum + value, 0) / own.length,
    };
  });
}
