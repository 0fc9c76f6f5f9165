/** The four inputs of the meta-loss, in row order (Table 6 switches them off one by one). */
export const META_LOSS_INPUTS = ["logits", "features", "targets", "identities"] as const;
/** One of {@link META_LOSS_INPUTS}. */
export type MetaLossInput = typeof META_LOSS_INPUTS[number];

/**
 * Whether h depends on theta at all: targets and identities alone make it a constant, its gradient
 * zero and the unlearning step no step.
 */
export function dependsOnTheta(inputs: readonly MetaLossInput[]): boolean {
  return inputs.includes("logits") || inputs.includes("features");
}
