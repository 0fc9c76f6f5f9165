import type { Weight } from "./safetensors.ts";

/** How far weights moved. */
export interface WeightChange {
  /** |after - before| / |before|, Euclidean, of all tensors together. */
  readonly relative: number;
  /** |after - before| of each tensor, by its name, in the order of the names. */
  readonly norms: Readonly<Record<string, number>>;
}

/**
 * Measures how far an unlearning step moved the weights, in float64.
 *
 * @param before and `after`: the same tensors
 * @returns NaN where a weight is not finite
 */
export function weightChange(
  before: ReadonlyMap<string, Weight>,
  after: ReadonlyMap<string, Weight>,
): WeightChange {
  let [moved, size] = [0, 0];
  const norms: Record<string, number> = {};
  for (const name of [...before.keys()].sort()) {
    const [was, is] = [before.get(name)!.values, after.get(name)!.values];
    let sum = 0;
    for (let i = 0; i < was.length; i++) {
      const step = is[i] - was[i];
      sum += step * step;
      size += was[i] * was[i];
    }
    norms[name] = Math.sqrt(sum);
    moved += sum;
  }
  return { relative: size === 0 ? (moved === 0 ? 0 : Infinity) : Math.sqrt(moved / size), norms };
}
