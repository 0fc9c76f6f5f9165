import type { Weight } from "../../model/safetensors.ts";

/**
 * How far each tensor of a rerun on another adapter may be from the receipt's, as a share of how far that
 * tensor moved in the rerun: the root mean square of all its numbers, and the largest. Rounding of the
 * weights themselves, {@link ULPS}, comes on top. llvmpipe against WASM on the sample kit, most of all
 * tensors: 5e-5 and 2e-4, rounding included (lib/audit/README.md).
 */
export const NEAR = { rms: 1e-3, most: 1e-2 } as const;
/** Last places of a float32 number by which two roundings of the same weight may differ. */
const ULPS = 2;

/** A tensor that differs most for its own change, in the measure of {@link NEAR}. */
export interface Farthest {
  readonly tensor: string;
  readonly rms: number;
  readonly most: number;
}

/** What {@link compareWeights} finds. */
export interface Comparison {
  /** Every tensor is within {@link NEAR}. */
  readonly near: boolean;
  /** Of the tensors that are farthest by RMS and by their largest difference. */
  readonly rms: number;
  readonly most: number;
  /** The tensor that is farthest from being near. */
  readonly tensor: string;
}

/**
 * Compares weights tensor by tensor, each by its own change: what is small in the whole model may be all
 * of a small tensor.
 *
 * @param before the weights that both runs began with
 * @param then the receipt's, after
 * @param now the rerun's, after
 * @returns infinite measures for a tensor that is missing, of another size or not finite, or that changed
 *   in one run only
 */
export function compareWeights(
  before: ReadonlyMap<string, Weight>,
  then: ReadonlyMap<string, Weight>,
  now: ReadonlyMap<string, Weight>,
): Comparison {
  const names = new Set([...before.keys(), ...then.keys(), ...now.keys()]);
  const tensors = [...names].map((tensor): Farthest => {
    const [was, a, b] = [before, then, now].map((weights) => weights.get(tensor)?.values);
    return { tensor, ...difference(was, a, b) };
  });
  const excess = ({ rms, most }: Farthest) => Math.max(rms / NEAR.rms, most / NEAR.most);
  const farthest = tensors.reduce((a, b) => excess(b) > excess(a) ? b : a, tensors[0]);
  return {
    near: excess(farthest) <= 1,
    rms: Math.max(...tensors.map(({ rms }) => rms)),
    most: Math.max(...tensors.map(({ most }) => most)),
    tensor: farthest.tensor,
  };
}

type Values = Weight["values"] | undefined;

function difference(was: Values, then: Values, now: Values): { rms: number; most: number } {
  const none = { rms: Infinity, most: Infinity };
  if (!was || !then || !now || was.length !== then.length || then.length !== now.length) {
    return none;
  }
  let [gaps, largestGap, changes, largestChange] = [0, 0, 0, 0];
  for (let i = 0; i < then.length; i++) {
    const change = Math.abs(now[i] - was[i]);
    const rounding = ULPS * 2 ** -23 * Math.max(Math.abs(then[i]), Math.abs(now[i]));
    const apart = Math.abs(now[i] - then[i]);
    if (!Number.isFinite(apart) || !Number.isFinite(change)) return none;
    const gap = Math.max(0, apart - rounding);
    gaps += gap * gap;
    changes += change * change;
    largestGap = Math.max(largestGap, gap);
    largestChange = Math.max(largestChange, change);
  }
  if (largestGap === 0) return { rms: 0, most: 0 };
  return { rms: Math.sqrt(gaps / changes), most: largestGap / largestChange };
}
