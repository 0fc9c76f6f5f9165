import type { Device } from "../tensor/device.ts";
import { activeWebgpu } from "../tensor/recording/owned_tensor.ts";
import { disposeWeights, type Weights } from "../tensor/weights.ts";
import { compare, type Comparison, type Effort, type Run } from "./compare.ts";
import { letheSteps } from "./lethe_steps.ts";
import { ownSteps } from "./own_steps.ts";
import {
  type Pytorch,
  PYTORCH_MODES,
  type PytorchMode,
  type PytorchStep,
  startPytorch,
} from "./pytorch.ts";
import { makeWorkload, type Workload, type WorkloadSettings } from "./workload.ts";

/** A step here and in PyTorch, `stock` being PyTorch. */
export interface PytorchFigures extends Comparison {
  readonly step: PytorchStep;
  /** PyTorch's numbers; ours are float32. */
  readonly mode: PytorchMode;
  /** The most bytes on the card while the step was timed, on both sides; null without a card. */
  readonly bytes: { readonly ours: number; readonly pytorch: number } | null;
}

/** Steps that can be timed on a card. */
export const CARD_STEPS = ["training", "evaluation", "meta"] as const;

/** A value that both sides computed: that they agree shows that both took the same step. */
export interface BothValues {
  readonly ours: number;
  readonly pytorch: number;
}

/** All steps here and in PyTorch. */
export interface PytorchReport {
  readonly settings: WorkloadSettings;
  readonly steps: readonly PytorchFigures[];
  readonly loss: BothValues;
  /** Of dA/dphi, there by double backward. */
  readonly metaGradientNorm: BothValues;
  /** Version, and the card or threads and linear algebra library of PyTorch. */
  readonly pytorch: string;
}

/** A's terms plain, so that what scales them (mAP) need not be the same on both sides. */
function withoutScale(workload: Workload): Workload {
  const form = { ...workload.objective.form, scaled: false };
  return { ...workload, objective: { ...workload.objective, form } };
}

async function norm(weights: Weights): Promise<number> {
  let sum = 0;
  for (const tensor of Object.values(weights)) {
    for (const x of await tensor.data()) sum += x * x;
  }
  disposeWeights(weights);
  return Math.sqrt(sum);
}

/** Loss of the gradient step and norm of the meta-gradient on both sides. */
async function values(workload: Workload, pytorch: Pytorch) {
  const steps = letheSteps(workload);
  try {
    await pytorch.run("gradient", "fp32")(1);
    const { value, gradients } = steps.trainingStep(workload.images.forget);
    const loss = { ours: (await value.data())[0], pytorch: pytorch.answer().value };
    value.dispose();
    disposeWeights(gradients);
    await pytorch.run("meta", "fp32")(1);
    const ours = await norm(await steps.metaStep());
    return { loss, metaGradientNorm: { ours, pytorch: pytorch.answer().value } };
  } finally {
    steps.dispose();
  }
}

/**
 * Times steps against PyTorch's by turns: on the same card training with SGD, evaluation and the
 * meta step with AdamW against double backward, in float32, TF32 and bfloat16; without a card
 * forward and backward on the same CPU.
 *
 * @param script path of tasks/bench_pytorch.py
 * @param python the program that runs it
 * @param only steps to time on a card
 * @param modes PyTorch's numbers on a card
 * @throws LetheError PyTorch is not installed
 */
export async function againstPytorch(
  device: Device,
  settings: WorkloadSettings,
  effort: Effort,
  script: string,
  python?: string,
  only: readonly string[] = CARD_STEPS,
  modes: readonly string[] = PYTORCH_MODES,
): Promise<PytorchReport> {
  const workload = withoutScale(await makeWorkload(settings, 0));
  const plain = letheSteps(workload);
  const gradient: Run = async (times) => {
    for (let i = 0; i < times; i++) {
      const { value, gradients } = plain.trainingStep(workload.images.forget);
      await value.data();
      value.dispose();
      disposeWeights(gradients);
    }
  };
  try {
    const pytorch = await startPytorch(script, workload, !device.software, python);
    const { cuda, version } = pytorch.answer();
    const both = await values(workload, pytorch);
    const steps: PytorchFigures[] = [];
    const measure = async (step: PytorchStep, mode: PytorchMode, ours: Run) => {
      const buffers = activeWebgpu()?.buffers;
      buffers?.forgetPeak();
      const comparison = await compare({ ours, stock: pytorch.run(step, mode) }, effort);
      const bytes = cuda && buffers
        ? { ours: buffers.peak, pytorch: pytorch.answer().bytes }
        : null;
      steps.push({ step, mode, bytes, ...comparison });
    };
    if (!cuda) await measure("gradient", "fp32", gradient);
    for (const mode of PYTORCH_MODES.filter((mode) => cuda && modes.includes(mode))) {
      for (const step of CARD_STEPS.filter((name) => only.includes(name))) {
        const own = ownSteps(workload);
        try {
          await measure(step, mode, own.runs[step]);
        } finally {
          own.dispose();
        }
      }
    }
    await pytorch.stop();
    return { settings, steps, ...both, pytorch: version };
  } finally {
    plain.dispose();
    workload.dispose();
  }
}
