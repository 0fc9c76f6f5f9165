import type { PhotographMatch } from "../../model/kit/memory_index.ts";

/** Features of one person's photographs, each [dim]. */
export type PersonFeatures = readonly Float32Array[];

/** Share of people's own photographs that the check lets pass. */
const OWN = 0.99;

/** 1 - cosine of two features, in [0, 2]; 1 where one of them is zero. */
export function cosineDistance(a: Float32Array, b: Float32Array): number {
  let [dot, aa, bb] = [0, 0, 0];
  for (let i = 0; i < a.length; i++) {
    dot += a[i] * b[i];
    aa += a[i] * a[i];
    bb += b[i] * b[i];
  }
  return aa === 0 || bb === 0 ? 1 : 1 - dot / Math.sqrt(aa * bb);
}

/**
 * How far a photograph may be from the mean feature of its person's others, by people whom the model never
 * saw: as far as 99 % of their own are. Photographs that the model was trained on would lie nearer than a
 * new one does.
 *
 * @param people unseen people; those with one photograph count as others only
 * @returns null where nobody has two photographs
 */
export function photographMatch(people: readonly PersonFeatures[]): PhotographMatch | null {
  const [own, others]: [number[], number[]] = [[], []];
  people.forEach((photographs, p) => {
    if (photographs.length < 2) return;
    photographs.forEach((photograph, i) => {
      const centroid = mean(photographs.filter((_, k) => k !== i));
      own.push(cosineDistance(photograph, centroid));
      // One stranger for each photograph, so that nobody's many photographs outweigh the others.
      const stranger = people[(p + 1 + i) % people.length];
      if (stranger !== photographs && stranger.length > 0) {
        others.push(cosineDistance(stranger[i % stranger.length], centroid));
      }
    });
  });
  if (own.length === 0) return null;
  const sorted = own.toSorted((a, b) => a - b);
  const distance = sorted[Math.min(sorted.length - 1, Math.floor(OWN * sorted.length))];
  const beyond = (distances: readonly number[]) =>
    distances.length === 0 ? 0 : distances.filter((d) => d > distance).length / distances.length;
  return { distance, refusesOwn: beyond(own), refusesOthers: beyond(others) };
}

/** The mean of some features. @param features at least one */
export function mean(features: PersonFeatures): Float32Array {
  const sum = new Float32Array(features[0].length);
  for (const feature of features) feature.forEach((x, k) => sum[k] += x / features.length);
  return sum;
}
