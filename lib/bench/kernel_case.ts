import * as tf from "@tensorflow/tfjs";
import { matMul } from "../tensor/mat_mul.ts";
import { Random } from "../random.ts";
import type { Run, Side } from "./compare.ts";
import { finish } from "./finish.ts";
import { productOperations } from "./operations.ts";

/** What is measured, and how much of it a run is. */
export interface KernelTitle {
  /** `qkv forward`. */
  readonly name: string;
  /** `[2080,128] [384,128]T + [384]`. */
  readonly shape: string;
  /** Floating-point operations of a run, or bytes that it has to read and write. */
  readonly work: number;
  readonly unit: "GFLOP/s" | "GB/s";
}

/** A kernel on one shape, beside the stock op that it replaces. */
export interface KernelCase extends KernelTitle {
  /** Makes the inputs; what it gives is measured and then disposed. */
  prepare(): Readonly<Record<Side, Run>> & { dispose(): void };
}

/** Uniform in -0.5 to 0.5, owned by the caller. */
export function draw(shape: number[], random = new Random(1, "kernel cases")): tf.Tensor {
  const size = shape.reduce((a, b) => a * b, 1);
  return tf.tensor(Float32Array.from({ length: size }, () => random.uniform() - 0.5), shape);
}

/** Work that is queued any number of times; the device is waited for once. */
export function queued(work: () => tf.Tensor[]): Run {
  return async (times) => {
    for (let i = 1; i < times; i++) tf.dispose(tf.tidy(work));
    await finish(...tf.tidy(work));
  };
}

/** Two functions of the same tensors, each giving tensors to wait for. */
export function caseOf(
  title: KernelTitle,
  inputs: readonly (readonly number[])[],
  ours: (inputs: tf.Tensor[]) => tf.Tensor[],
  stock: (inputs: tf.Tensor[]) => tf.Tensor[],
): KernelCase {
  return {
    ...title,
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
    { name, shape, work: productOperations(m, k, n), unit: "GFLOP/s" },
    [a, b],
    ([a, b]) => [matMul(a, b, { transposeA, transposeB })],
    ([a, b]) => [tf.matMul(a, b, transposeA, transposeB)],
  );
}
