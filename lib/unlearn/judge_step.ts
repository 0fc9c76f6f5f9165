import { LetheError } from "../error.ts";
import type { WeightChange } from "../model/weight_change.ts";
import type { StepRange } from "../model/kit/kit_manifest.ts";

/**
 * How much shorter or longer than any simulated request's a real step may be. A real photograph is new
 * to the model, where simulated ones were trained on, and its gradient differs by some times as much.
 */
export const STEP_MARGIN = 10;

/** A relative change that rounding alone makes: float32 has 24 bits. */
const NOTHING = 1e-7;

/** What a step's length is held against. */
export interface StepReference {
  /** |theta_u - theta| / |theta|: the least and the most that was seen. */
  readonly low: number;
  readonly high: number;
  /** Whose steps these were, in words. */
  readonly told: string;
}

/** What is said of a step's length. */
export interface StepVerdict {
  /** Outside what simulated requests showed; null where the kit recorded no range for the method. */
  readonly unusual: boolean | null;
  /** The bounds, |theta_u - theta| / |theta|; absent with no range. */
  readonly low?: number;
  /** Upper end. */
  readonly high?: number;
}

/**
 * What is usual for a request of so many steps: {@link STEP_MARGIN} times wider than what was seen at both
 * ends and, at the upper one, as often as there are steps.
 *
 * @param steps a request of more people than N_S takes several, or one that goes as far
 */
export function usualRange(
  { low, high }: Pick<StepReference, "low" | "high">,
  steps: number,
): { readonly low: number; readonly high: number } {
  // Where a simulated request moved nothing, rounding is still no step.
  return { low: low / STEP_MARGIN || NOTHING, high: high * STEP_MARGIN * steps };
}

/**
 * Holds a step against what simulated requests showed, or the kit's own settings do for the same request,
 * as {@link usualRange} widens it.
 *
 * @param steps a request of more people than N_S takes several, or one that goes as far
 * @param generation of the kit: steps were simulated on the model as it was trained
 * @param allowUnusual lets a step of unusual length pass; it is recorded
 * @throws {LetheError} no weight changed, a weight is not finite, or the step's length is unusual
 */
export function judgeStep(
  { relative }: WeightChange,
  range: StepRange | StepReference | undefined,
  steps: number,
  allowUnusual: boolean,
  generation = 0,
): StepVerdict {
  if (relative === 0) {
    throw new LetheError(
      "every weight is what it was before",
      "a step that changes nothing forgets nobody",
      "use the kit's own settings: these are too small to move a float32 number",
    );
  }
  if (!Number.isFinite(relative)) {
    throw new LetheError(
      "the step left weights that are not finite numbers",
      "such a model predicts nothing",
      "use the kit's own settings: these are too large",
    );
  }
  if (range === undefined) {
    if (relative < NOTHING && !allowUnusual) {
      throw new LetheError(
        `the step moves the weights by ${relative.toExponential(1)} of their size`,
        `less than ${NOTHING} is what float32 rounds away: it forgets nobody`,
        "use the kit's own settings; --allow-unusual-step takes it, and the receipt says so",
      );
    }
    return { unusual: relative < NOTHING ? true : null };
  }
  const { low, high } = usualRange(range, steps);
  const unusual = relative < low || relative > high;
  if (unusual && !allowUnusual) {
    const shown = (value: number) => value.toExponential(1);
    const told = "requests" in range
      ? `${range.requests} simulated requests moved them by ${shown(range.low)} to ${
        shown(range.high)
      }`
      : range.told;
    throw new LetheError(
      `the step moves the weights by ${shown(relative)} of their size`,
      `${told}; ${STEP_MARGIN} times less or more is unusual`,
      generation === 0
        ? "look at the photographs and settings; --allow-unusual-step takes it, and the receipt says so"
        : `these were simulated before the kit's ${generation} ${
          generation === 1 ? "request" : "requests"
        }, which moved the weights since: if photographs and settings are right, take it by ` +
          "--allow-unusual-step (the receipt says so) and hold the model by accept before it serves",
    );
  }
  return { unusual, low, high };
}
