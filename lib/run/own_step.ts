import type { ImageFeed } from "../data/loader/image_source.ts";
import { downloadWeights } from "../model/device_weights.ts";
import type { StoredKit } from "../model/kit/kit.ts";
import type { MemoryRow } from "../model/kit/memory_row.ts";
import { weightChange } from "../model/weight_change.ts";
import { disposeWeights, type Weights } from "../tensor/weights.ts";
import type { StepReference } from "../unlearn/judge_step.ts";
import { type MethodChoice, unlearnFromKit } from "../unlearn/unlearn_from_kit.ts";

/**
 * How far the kit's own settings of a method move the weights for this very request: what settings from the
 * command line are held against where the kit has no range for the method.
 *
 * @param theta the kit's model on the device; stays the caller's
 * @param source and `rows`, `memory`: as for `unlearnFromKit`
 * @returns undefined where nothing was set, or the kit's own settings move nothing either
 */
export async function ownStep(
  kit: StoredKit,
  theta: Weights,
  source: ImageFeed,
  rows: readonly number[],
  choice: MethodChoice,
  microBatch: number,
  memory: readonly MemoryRow[] | undefined,
): Promise<StepReference | undefined> {
  if (Object.keys(choice.set).length === 0) return undefined;
  const own = await unlearnFromKit(
    kit,
    theta,
    source,
    rows,
    { ...choice, set: {} },
    microBatch,
    memory,
  );
  const after = await downloadWeights(own.theta);
  disposeWeights(own.theta);
  const { relative } = weightChange(kit.model.theta, after);
  if (!(relative > 0) || !Number.isFinite(relative)) return undefined;
  const told = `the kit's own settings move them by ${relative.toExponential(1)}`;
  return { low: relative, high: relative, told };
}
