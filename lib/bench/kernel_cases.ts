import * as tf from "@tensorflow/tfjs";
import { matMul } from "../tensor/mat_mul.ts";
import { attention } from "../tensor/ops/attention.ts";
import { gelu } from "../tensor/ops/gelu.ts";
import { layerNorm } from "../tensor/ops/layer_norm.ts";
import { adamW, ADAMW_DEFAULTS } from "../tensor/optimisers/adamw.ts";
import { sgd } from "../tensor/optimisers/sgd.ts";
import { caseOf, type KernelCase, type KernelTitle, productCase } from "./kernel_case.ts";
import { type LayerShape, metaLossLayers, vitLayers } from "./kernel_shapes.ts";
import { productOperations, tokensOf } from "./operations.ts";
import { optimiserCase } from "./optimiser_case.ts";
import { stockAttention, stockGelu, stockLayerNorm } from "./stock/layers.ts";
import type { WorkloadSettings } from "./workload.ts";

/** Bytes of a float32. */
const FLOAT = 4;

/** The three products of a fully connected layer: y = x WT + b, dx = dy W, dW = dyT x. */
function layerCases({ name, m, k, n }: LayerShape): KernelCase[] {
  const forward = caseOf(
    {
      name: `${name} forward`,
      shape: `[${m},${k}] [${n},${k}]T + [${n}]`,
      work: productOperations(m, k, n),
      unit: "GFLOP/s",
    },
    [[m, k], [n, k], [n]],
    ([x, weight, bias]) => [matMul(x, weight, { transposeB: true, bias })],
    ([x, weight, bias]) => [tf.add(tf.matMul(x, weight, false, true), bias)],
  );
  const dW = productCase(`${name} dW`, [n, m, k], true);
  // The patches do not move: their layer has no dx.
  return name === "patches" ? [forward, dW] : [forward, productCase(`${name} dx`, [m, n, k]), dW];
}

/** A differentiable op forward, and forward and backward together. */
function opCases(
  name: string,
  inputs: readonly (readonly number[])[],
  output: readonly number[],
  [forwardWork, gradientWork]: readonly [number, number],
  unit: KernelTitle["unit"],
  ours: (inputs: tf.Tensor[]) => tf.Tensor,
  stock: (inputs: tf.Tensor[]) => tf.Tensor,
): KernelCase[] {
  const shape = inputs.map((size) => `[${size}]`).join(" ");
  const gradients = (f: (inputs: tf.Tensor[]) => tf.Tensor) => (all: tf.Tensor[]) =>
    // A copy: Lethe's backward passes free the cotangent that they are given.
    tf.grads((...moved: tf.Tensor[]) => f(moved))(all.slice(0, -1), tf.clone(all.at(-1)!));
  return [
    caseOf(
      { name, shape, work: forwardWork, unit },
      inputs,
      (x) => [ours(x)],
      (x) => [stock(x)],
    ),
    caseOf(
      { name: `${name} and gradient`, shape, work: gradientWork, unit },
      [...inputs, output],
      gradients(ours),
      gradients(stock),
    ),
  ];
}

/** Every kernel on every shape that a preset's training, unlearning and meta steps use. */
export function kernelCases(settings: WorkloadSettings): KernelCase[] {
  const { shape, batch, support, labels, hidden } = settings;
  const { dim, heads, layerNormEps: epsilon } = shape;
  const n = tokensOf(shape);
  const rows = batch * n;
  const layers = [
    ...vitLayers(shape, labels, batch),
    ...metaLossLayers(shape, labels, hidden, support),
  ];
  const scores = batch * n * n * dim;
  return [
    ...layers.flatMap(layerCases),
    ...opCases(
      "attention",
      [[batch, n, 3 * dim]],
      [batch, n, dim],
      [4 * scores, 12 * scores],
      "GFLOP/s",
      ([qkv]) => attention.forward([qkv], { heads }),
      ([qkv]) => stockAttention(qkv, heads),
    ),
    ...opCases(
      "layer norm",
      [[rows, dim], [dim], [dim]],
      [rows, dim],
      [2 * FLOAT * rows * dim, 5 * FLOAT * rows * dim],
      "GB/s",
      (inputs) => layerNorm.forward(inputs, { epsilon }),
      ([x, gamma, beta]) => stockLayerNorm(x, gamma, beta, epsilon),
    ),
    ...opCases(
      "GELU",
      [[rows, 4 * dim]],
      [rows, 4 * dim],
      [8 * FLOAT * rows * dim, 20 * FLOAT * rows * dim],
      "GB/s",
      (inputs) => gelu.forward(inputs, {}),
      ([x]) => stockGelu(x),
    ),
    optimiserCase(
      "AdamW",
      shape,
      labels,
      7,
      () => adamW({ ...ADAMW_DEFAULTS, weightDecay: 0.05 }),
      () => tf.train.adam(1e-6),
    ),
    optimiserCase(
      "SGD",
      shape,
      labels,
      5,
      () => sgd({ momentum: 0.9, weightDecay: 1e-3 }),
      () => tf.train.momentum(1e-6, 0.9),
    ),
  ];
}
