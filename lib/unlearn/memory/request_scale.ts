import type { RequestScale } from "../../model/kit/memory_index.ts";

/**
 * The factor for a request: rows of many people overlap, so that one person's alone may be taken further.
 * Between sizes that were tried it follows the logarithm of the size; beyond them it stays.
 *
 * @param scales sizes that were tried, in rising order; none where all requests have one scale
 * @param people whom the model has forgotten after the request
 */
export function requestFactor(scales: readonly RequestScale[], people: number): number {
  const above = scales.findIndex((scale) => scale.people >= people);
  if (scales.length === 0) return 1;
  if (above === 0) return scales[0].factor;
  if (above < 0) return scales.at(-1)!.factor;
  const [a, b] = [scales[above - 1], scales[above]];
  const share = Math.log(people / a.people) / Math.log(b.people / a.people);
  return a.factor * (b.factor / a.factor) ** share;
}
