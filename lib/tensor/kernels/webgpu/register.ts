import * as tf from "@tensorflow/tfjs";
import {
  attentionDualKernel,
  attentionGradKernel,
  attentionKernel,
} from "./attention/attention.ts";
import { addScaledKernel } from "./elementwise.ts";
import { geluGradKernel, geluKernel, geluTangentGradKernel } from "./gelu.ts";
import { columnSumKernel } from "./column_sum.ts";
import { toHalfKernel } from "./half.ts";
import {
  layerNormGradKernel,
  layerNormKernel,
  layerNormTangentKernel,
} from "./layer_norm/layer_norm.ts";
import { layerNormTangentGradKernel } from "./layer_norm/tangent_gradient.ts";
import { matMulKernel, weightGradientKernel } from "./mat_mul.ts";
import { patchesKernel } from "./recorded/patches.ts";
import { measureKernel, objectiveGradKernel, objectiveKernel } from "./recorded/measure.ts";
import { adamWKernel, sgdKernel } from "./optimisers.ts";
import type { KernelArguments } from "./program.ts";
import { tokensGradKernel, tokensKernel } from "./tokens.ts";
import { binaryCrossEntropyKernel } from "./cross_entropy.ts";
import { registerWasmKernels as registerWasm } from "../wasm/register.ts";

/** Lethe's WebGPU kernels by the name that the ops ask for. */
const WEBGPU_KERNELS: Readonly<
  Record<string, (args: KernelArguments) => tf.TensorInfo | tf.TensorInfo[]>
> = {
  LetheMatMul: matMulKernel,
  LetheWeightGradient: weightGradientKernel,
  LetheAddScaled: addScaledKernel,
  LetheTokens: tokensKernel,
  LetheTokensGrad: tokensGradKernel,
  LetheBinaryCrossEntropy: binaryCrossEntropyKernel,
  LetheAttention: attentionKernel,
  LetheAttentionGrad: attentionGradKernel,
  LetheAttentionDual: attentionDualKernel,
  LetheGelu: geluKernel,
  LetheGeluGrad: geluGradKernel,
  LetheLayerNorm: layerNormKernel,
  LetheLayerNormGrad: layerNormGradKernel,
  LetheLayerNormTangent: layerNormTangentKernel,
  LetheLayerNormTangentGrad: layerNormTangentGradKernel,
  LetheGeluTangentGrad: geluTangentGradKernel,
  LetheToHalf: toHalfKernel,
  LetheColumnSum: columnSumKernel,
  LethePatches: patchesKernel,
  LetheMeasure: measureKernel,
  LetheObjective: objectiveKernel,
  LetheObjectiveGrad: objectiveGradKernel,
  LetheAdamW: adamWKernel,
  LetheSgd: sgdKernel,
};

/** Registers Lethe's kernels for tfjs's WebGPU backend; a second call does nothing. */
export function registerWebgpuKernels(): void {
  for (const [kernelName, kernel] of Object.entries(WEBGPU_KERNELS)) {
    if (tf.getKernel(kernelName, "webgpu")) continue;
    tf.registerKernel({
      kernelName,
      backendName: "webgpu",
      kernelFunc: (args) => kernel(args as unknown as KernelArguments),
    });
  }
}

/** Registers Lethe's kernels for tfjs's WASM backend; a second call does nothing. */
export function registerWasmKernels(): void {
  registerWasm();
}
