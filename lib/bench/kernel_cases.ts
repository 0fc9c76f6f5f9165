import * as tf from "@tensorflow/tfjs";
import { thetaShapes } from "../model/theta_shapes.ts";
import type { VitShape } from "../model/vit.ts";
import { matMul } from "../tensor/mat_mul.ts";
import { attention } from "../tensor/ops/attention.ts";
import { gelu } from "../tensor/ops/gelu.ts";
import { layerNorm } from "../tensor/ops/layer_norm.ts";
import { adamW, ADAMW_DEFAULTS } from "../tensor/optimisers/adamw.ts";
import type { Optimiser } from "../tensor/optimisers/optimiser.ts";
import { sgd } from "../tensor/optimisers/sgd.ts";
import { Random } from "../tensor/random.ts";
import { disposeWeights, type Weights } from "../tensor/weights.ts";
import type { Run, Side } from "./compare.ts";
import { finish } from "./finish.ts";
import { type LayerShape, metaLossLayers, vitLayers } from "./kernel_shapes.ts";
import { productOperations, tokensOf } from "./operations.ts";
import { stockAttention, stockGelu, stockLayerNorm } from "./stock_layers.ts";
import type { WorkloadSettings } from "./workload.ts";

/** A kernel on one shape, beside the stock op that it replaces. */
export interface KernelCase {
  /** `qkv forward`. */
  readonly name: string;
  /** `[2080, 128] x [384, 128]T`. */
  readonly shape: string;
  /** What a run amounts to: floating-point operations, or bytes that have to be read and written. */
  readonly work: number;
  readonly unit: "GFLOP/s" | "GB/s";
  /** Makes the inputs; what it gives is measured and then disposed. */
  prepare(): Readonly<Record<Side, Run>> & { dispose(): void };
}

const FLOAT = 4;

function draw(shape: number[], random = new Random(1, "kernel cases")): tf.Tensor {
  const size = shape.reduce((a, b) => a * b, 1);
  return tf.tensor(Float32Array.from({ length: size }, () => random.uniform() - 0.5), shape);
}

/** Work that is queued any number of times; the device is waited for once. */
function queued(work: () => tf.Tensor[]): Run {
  return async (times) => {
    for (let i = 1; i < times; i++) tf.dispose(tf.tidy(work));
    await finish(...tf.tidy(work));
  };
}

/** Two functions of the same tensors, each giving tensors to wait for. */
function caseOf(
  name: string,
  shape: string,
  work: number,
  unit: KernelCase["unit"],
  inputs: readonly (readonly number[])[],
  ours: (inputs: tf.Tensor[]) => tf.Tensor[],
  stock: (inputs: tf.Tensor[]) => tf.Tensor[],
): KernelCase {
  return {
    name,
    shape,
    work,
    unit,
    prepare() {
      const tensors = inputs.map((size) => draw([...size]));
      return {
        ours: queued(() => ours(tensors)),
        stock: queued(() => stock(tensors)),
        dispose: () => tf.dispose(tensors),
      };
    },
  };
}

/** One product, a perhaps read transposed, b perhaps too, against `tf.matMul` with the same flags. */
export function productCase(
  name: string,
  [m, k, n]: readonly [number, number, number],
  transposeA = false,
  transposeB = false,
): KernelCase {
  const [a, b] = [transposeA ? [k, m] : [m, k], transposeB ? [n, k] : [k, n]];
  const shape = `[${a}]${transposeA ? "T" : ""} [${b}]${transposeB ? "T" : ""}`;
  return caseOf(
    name,
    shape,
    productOperations(m, k, n),
    "GFLOP/s",
    [a, b],
    ([a, b]) => [matMul(a, b, { transposeA, transposeB })],
    ([a, b]) => [tf.matMul(a, b, transposeA, transposeB)],
  );
}

/** The three products of a fully connected layer: y = x WT + b, dx = dy W, dW = dyT x. */
function layerCases({ name, m, k, n }: LayerShape): KernelCase[] {
  const forward = caseOf(
    `${name} forward`,
    `[${m},${k}] [${n},${k}]T + [${n}]`,
    productOperations(m, k, n),
    "GFLOP/s",
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
  unit: KernelCase["unit"],
  ours: (inputs: tf.Tensor[]) => tf.Tensor,
  stock: (inputs: tf.Tensor[]) => tf.Tensor,
): KernelCase[] {
  const shape = inputs.map((size) => `[${size}]`).join(" ");
  const gradients = (f: (inputs: tf.Tensor[]) => tf.Tensor) => (all: tf.Tensor[]) =>
    tf.grads((...moved: tf.Tensor[]) => f(moved))(all.slice(0, -1), all[all.length - 1]);
  return [
    caseOf(name, shape, forwardWork, unit, inputs, (x) => [ours(x)], (x) => [stock(x)]),
    caseOf(
      `${name} and gradient`,
      shape,
      gradientWork,
      unit,
      [...inputs, output],
      gradients(ours),
      gradients(stock),
    ),
  ];
}

/** One step on all of theta. */
function optimiserCase(
  name: string,
  shape: VitShape,
  labels: number,
  transfers: number,
  make: () => Optimiser,
  stock: () => tf.Optimizer,
): KernelCase {
  const sizes = [...thetaShapes(shape, labels)];
  const count = sizes.reduce((sum, [, size]) => sum + size.reduce((a, b) => a * b, 1), 0);
  const drawn = (): Weights => Object.fromEntries(sizes.map(([name, size]) => [name, draw(size)]));
  return {
    name,
    shape: `${count} weights`,
    work: transfers * FLOAT * count,
    unit: "GB/s",
    prepare() {
      const [last] = sizes[sizes.length - 1];
      const gradients = drawn();
      const [optimiser, stockOptimiser] = [make(), stock()];
      let theta = drawn();
      const variables = Object.fromEntries(
        sizes.map(([name, size]) => [name, tf.tidy(() => tf.variable(draw(size)))]),
      );
      const named = Object.fromEntries(
        Object.entries(variables).map(([name, variable]) => [variable.name, gradients[name]]),
      );
      return {
        ours: queued(() => {
          theta = optimiser.step(theta, gradients, 1e-6);
          return [tf.clone(theta[last])];
        }),
        stock: queued(() => {
          stockOptimiser.applyGradients(named);
          return [tf.clone(variables[last] as tf.Tensor)];
        }),
        dispose() {
          disposeWeights(theta);
          disposeWeights(gradients);
          disposeWeights(variables);
          optimiser.dispose();
          stockOptimiser.dispose();
          // tfjs's momentum forgets its own rate.
          tf.dispose((stockOptimiser as { c?: tf.Tensor }).c ?? []);
        },
      };
    },
  };
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
