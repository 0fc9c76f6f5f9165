import { disposeWeights } from "../tensor/weights.ts";
import { compare, type Comparison, type Effort } from "./compare.ts";
import { letheSteps } from "./lethe_steps.ts";
import { startPytorch } from "./pytorch.ts";
import { makeWorkload, type WorkloadSettings } from "./workload.ts";

/** The training step (forward and backward) here and in PyTorch, `stock` being PyTorch. */
export interface PytorchReport {
  readonly settings: WorkloadSettings;
  readonly training: Comparison;
  /** Both losses: that they agree shows that both took the same step. */
  readonly loss: { readonly ours: number; readonly pytorch: number };
  /** Version, threads and linear algebra library of PyTorch. */
  readonly pytorch: string;
}

/**
 * Times the training step against PyTorch's on the same CPU, by turns.
 *
 * @param script path of tasks/bench_pytorch.py
 * @throws LetheError PyTorch is not installed
 */
export async function againstPytorch(
  settings: WorkloadSettings,
  effort: Effort,
  script: string,
): Promise<PytorchReport> {
  const workload = await makeWorkload(settings, 0);
  const steps = letheSteps(workload);
  try {
    const pytorch = await startPytorch(script, workload);
    let ours = NaN;
    const training = await compare({
      async ours(times) {
        for (let i = 0; i < times; i++) {
          const { value, gradients } = steps.trainingStep(workload.images.forget);
          ours = (await value.data())[0];
          value.dispose();
          disposeWeights(gradients);
        }
      },
      stock: pytorch.run,
    }, effort);
    await pytorch.stop();
    const { loss, version } = pytorch.answer();
    return { settings, training, loss: { ours, pytorch: loss }, pytorch: version };
  } finally {
    steps.dispose();
    workload.dispose();
  }
}
