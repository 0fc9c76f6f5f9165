import type { Weights } from "../tensor/weights.ts";
import type { Weight } from "../model/safetensors.ts";
import { goldenTensor } from "./golden.ts";

/** How one group of tensors came out. */
export interface SelfcheckGroup {
  /** As people call it. */
  readonly name: string;
  /** How many are compared. */
  readonly tensors: number;
  /**
   * Largest error, relative to the largest expected magnitude of its own tensor, or, where that is
   * small, to what makes {@link ABSOLUTE_TOLERANCE} the tolerance.
   */
  readonly relativeError: number;
  /** The tensor it was found in. */
  readonly worst: string;
  /**
   * Share of its own largest expected magnitude within which a tensor passes; see {@link
   * ABSOLUTE_TOLERANCE}.
   */
  readonly tolerance: number;
  /** Tensors past their tolerance. */
  readonly failed: readonly string[];
  /** Elements on the edge of a decision that rounding may turn: counted, not compared. */
  readonly onEdge?: number;
}

/** A tensor also passes within this, whatever its magnitude. */
export const ABSOLUTE_TOLERANCE = 1e-6;

/** Computed values by name, to be held against the golden ones. */
export type Computed = Record<string, ArrayLike<number>>;

/**
 * Holds computed tensors against the golden ones of the same names.
 *
 * @param tolerance share of each tensor's largest expected magnitude
 * @param onEdge elements to count and not to compare
 * @throws LetheError the golden folder lacks one
 */
export function compareGolden(
  name: string,
  computed: Computed,
  golden: ReadonlyMap<string, Weight>,
  tolerance: number,
  onEdge?: (tensor: string, element: number) => boolean,
): SelfcheckGroup {
  let [relativeError, worst, edges] = [0, "", 0];
  const failed: string[] = [];
  for (const [tensor, values] of Object.entries(computed)) {
    const expected = goldenTensor(golden, tensor).values;
    let [error, magnitude] = [values.length === expected.length ? 0 : Infinity, 0];
    for (let i = 0; i < expected.length; i++) {
      magnitude = Math.max(magnitude, Math.abs(expected[i]));
      if (onEdge?.(tensor, i)) {
        edges++;
        continue;
      }
      const gap = Math.abs(values[i] - expected[i]);
      // A NaN is an infinite error: no comparison with it would ever fail.
      error = Math.max(error, Number.isNaN(gap) ? Infinity : gap);
    }
    const relative = error / Math.max(magnitude, ABSOLUTE_TOLERANCE / tolerance);
    if (!(relative <= tolerance)) failed.push(tensor);
    if (worst === "" || relative > relativeError) [relativeError, worst] = [relative, tensor];
  }
  const tensors = Object.keys(computed).length;
  const group = { name, tensors, relativeError, worst, tolerance, failed };
  return onEdge ? { ...group, onEdge: edges } : group;
}

/** Tensors on the host, their names with a prefix. */
export async function computedOf(weights: Weights, prefix: string): Promise<Computed> {
  const out: Computed = {};
  for (const [name, tensor] of Object.entries(weights)) out[prefix + name] = await tensor.data();
  return out;
}
