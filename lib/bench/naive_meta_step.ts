import { disposeWeights } from "../tensor/weights.ts";
import { finish } from "./finish.ts";
import type { Steps } from "./steps.ts";
import type { Workload } from "./workload.ts";

/**
 * The cost of one meta step as nested differentiation, the way PyTorch takes it with
 * `create_graph=True`, as passes of the same cost run with the same kernels:
 *
 * 1. the inner step: forward and backward on S, its graph kept; 1 gradient on S
 * 2. L(Df; theta_u), forward and backward; 1 gradient on Df
 * 3. L(Dv; theta_u), forward; 1 forward on Dv
 * 4. the second-order pass: backward through all that 1 did. As the backward pass of a forward costs
 *    two of it (a product for each operand), that of a forward and backward costs two of them;
 *    2 gradients on S
 *
 * Left out, in the naive way's favour: the meta-loss, the memory of the graph and whatever it takes to
 * fit it. What comes out is a time, not a gradient: stock tfjs cannot nest gradients.
 */
export async function naiveMetaStep(steps: Steps, { images }: Workload): Promise<void> {
  for (const indices of [images.support, images.support, images.support, images.forget]) {
    const { value, gradients } = steps.trainingStep(indices);
    await finish(value);
    disposeWeights(gradients);
  }
  await steps.evaluation(images.val);
}
