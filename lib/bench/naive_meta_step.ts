/** Seconds of single passes through the backbone, all with the same kernels. */
export interface PassSeconds {
  /** Forward and backward on the support images. */
  readonly supportGradient: number;
  /** Forward and backward on a forget batch. */
  readonly forgetGradient: number;
  /** Forward on a validation batch. */
  readonly valForward: number;
}

/**
 * What one meta step would take as nested differentiation, the way PyTorch does it with
 * `create_graph=True`, in passes of known cost:
 *
 * 1. the inner step: forward and backward on S, its graph kept: `supportGradient`;
 * 2. L(Df; theta_u), forward and backward: `forgetGradient`;
 * 3. L(Dv; theta_u), forward: `valForward`;
 * 4. the second-order pass: backward through all that 1 did. As the backward pass of a forward costs
 *    two of it (one product for each operand), that of a forward and backward costs two of them:
 *    2 `supportGradient`.
 *
 * Left out, in the naive way's favour: the meta-loss itself, the graph's memory, and any recomputation
 * to fit it.
 *
 * @returns seconds
 */
export function naiveMetaStepSeconds(pass: PassSeconds): number {
  return 3 * pass.supportGradient + pass.forgetGradient + pass.valForward;
}
