import * as tf from "@tensorflow/tfjs";
import type { LetheBackend } from "../backend/lethe_backend.ts";
import { accumulate } from "../kernels/webgpu/recorded/accumulate.ts";
import { mapWeights, type Weights } from "../weights.ts";
import { packed } from "./packed.ts";
import { layoutOf, Pieces } from "./pieces.ts";

/** Weights that are added to in place, a program per piece, by steps that may be recorded (WebGPU). */
export interface PieceSum {
  /** What they are now. They stay the sum's and change with every addition. */
  readonly weights: Weights;
  /** Adds factor x, or factor x^2; the factor is [1]. */
  add(x: Weights, factor: tf.Tensor, what: "x" | "x squared"): void;
  /** Adds factor x of numbers on the host; a tensor that is missing stays as it is. */
  addValues(x: ReadonlyMap<string, Float32Array>, factor: tf.Tensor): void;
  /** The sum as it is now, whatever comes; the caller's. */
  copy(): Weights;
  dispose(): void;
}

/** @param initial gives the shapes and, unless it begins at `zero`, the numbers; stays the caller's */
export function sumOf(backend: LetheBackend, initial: Weights, zero: boolean): PieceSum {
  const layout = layoutOf(backend, initial);
  const pieces = new Pieces(backend, layout);
  if (!zero) pieces.write(initial);
  return {
    weights: pieces.weights,
    add(x, factor, what) {
      const flat = packed(backend, x, layout);
      flat.forEach((own, i) => accumulate(backend, pieces.flat[i], own, factor, what));
      tf.dispose(flat);
    },
    addValues(x, factor) {
      layout.pieces.forEach(({ bytes }, i) => {
        const values = new Float32Array(bytes / 4);
        for (const { name, piece, offset } of layout.parts) {
          if (piece === i && x.has(name)) values.set(x.get(name)!, offset / 4);
        }
        const flat = tf.tensor1d(values);
        accumulate(backend, pieces.flat[i], flat, factor, "x");
        flat.dispose();
      });
    },
    copy: () => mapWeights(pieces.weights, tf.clone),
    dispose: () => pieces.dispose(),
  };
}
