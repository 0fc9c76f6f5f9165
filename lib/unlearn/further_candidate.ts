import type { MethodSettings } from "./methods.ts";
import type { Method } from "./methods/method.ts";

/** How many candidates are tried beyond those that were named, at most. */
export const MOST_FURTHER = 8;
/** By what factor a step beyond the edge goes, at most. */
const FARTHEST = 10;

/**
 * The next candidate beyond the edge of those tried: where the best has the least or the largest value of a
 * setting, the value as far beyond it as its neighbour lies within (tenfold at most), all else as the best
 * has it. A choice at the edge says only that what is best was not tried.
 *
 * @param tried at least one; settings of which all have the same value, zero or a negative one stay
 * @param best of `tried`
 * @returns undefined where the best lies within, or where the method takes nothing beyond
 */
export function furtherCandidate(
  { settings }: Pick<Method, "settings">,
  tried: readonly MethodSettings[],
  best: MethodSettings,
): MethodSettings | undefined {
  const known = new Set(tried.map(keyOf));
  for (const [name, { kind, min, max }] of Object.entries(settings)) {
    const values = [...new Set(tried.map((each) => each[name]))].sort((a, b) => a - b);
    if (values.length < 2 || values[0] <= 0) continue;
    const [least, second] = values;
    const [before, largest] = values.slice(-2);
    const beyond = [
      ...(best[name] === largest ? [largest * Math.min(FARTHEST, largest / before)] : []),
      ...(best[name] === least ? [least / Math.min(FARTHEST, second / least)] : []),
    ];
    for (const value of beyond) {
      const within = Math.min(
        max,
        Math.max(min, kind === "integer" ? Math.round(value) : rounded(value)),
      );
      const next = { ...best, [name]: within };
      if (within > 0 && !known.has(keyOf(next)) && !values.includes(within)) return next;
    }
  }
  return undefined;
}

/** To six digits: 0.1 x 0.1 / 0.01 is 1, not 1.0000000000000002. */
function rounded(value: number): number {
  return Number(value.toPrecision(6));
}

function keyOf(settings: MethodSettings): string {
  return JSON.stringify(Object.entries(settings).sort(([a], [b]) => a < b ? -1 : 1));
}
