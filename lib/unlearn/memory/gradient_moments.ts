import * as tf from "@tensorflow/tfjs";
import type { ImageFeed } from "../../data/loader/image_source.ts";
import type { Task } from "../../data/sample.ts";
import { vit } from "../../model/vit.ts";
import type { Random } from "../../random.ts";
import { plain } from "../../tensor/algebra.ts";
import { matMul } from "../../tensor/mat_mul.ts";
import { sumOf } from "../../tensor/pieces/sum_of.ts";
import { Gathered } from "../../tensor/recording/gathered.ts";
import { activeWebgpu } from "../../tensor/recording/owned_tensor.ts";
import { Recorded } from "../../tensor/recording/recorded.ts";
import type { Tensors } from "../../tensor/recording/recording.ts";
import {
  addScaled,
  disposeWeights,
  mapWeights,
  valueAndGradients,
  type Weights,
} from "../../tensor/weights.ts";
import type { Backbone } from "../logit_gradient.ts";
import { symmetricEigen } from "../symmetric_eigen.ts";

/**
 * The second moments of single images' gradients, along which a step is short where many images are
 * sensitive. A weight matrix [out, in] has them in the eigenbases of E[g gT] and E[gT g] (SOAP, Vyas et
 * al. 2024); biases, norms, the class token and positions have plain ones.
 */
export interface GradientMoments {
  /** U_G [out, out] by weight matrix; its columns are the basis. */
  readonly left: Weights;
  /** U_A [in, in] by weight matrix; its columns are the basis. */
  readonly right: Weights;
  /** D over its own mean, by the names of theta: [out, in] in the bases, else in theta's shape. */
  readonly diagonal: Weights;
}

/** Frees moments. */
export function disposeMoments({ left, right, diagonal }: GradientMoments): void {
  for (const weights of [left, right, diagonal]) disposeWeights(weights);
}

/** Whether a tensor of theta has eigenbases: the weights of linear layers and the patch embedding. */
export function isMatrix(name: string, shape: readonly number[]): boolean {
  return name.endsWith(".weight") && shape.length > 1;
}

/** A weight as its layer uses it, [out, in]: the patch embedding's kernel is flattened. */
export function asMatrix(weight: tf.Tensor): tf.Tensor2D {
  return tf.reshape(weight, [weight.shape[0], weight.size / weight.shape[0]]);
}

/**
 * Rows p - y on the host for labels y drawn from the model's answers p: the gradient in the logits of the
 * task loss, summed over labels, whose second moment in theta is the Fisher matrix (not the empirical one).
 *
 * @param logits [n, labels], row after row
 */
export function sampledResiduals(
  task: Task,
  logits: Float32Array,
  labels: number,
  random: Random,
): Float32Array {
  const rows = new Float32Array(logits.length);
  for (let from = 0; from < logits.length; from += labels) {
    const own = logits.subarray(from, from + labels);
    if (task === "multi-label") {
      own.forEach((logit, l) => {
        const p = 1 / (1 + Math.exp(-logit));
        rows[from + l] = p - (random.uniform() < p ? 1 : 0);
      });
      continue;
    }
    const most = own.reduce((a, b) => Math.max(a, b), -Infinity);
    const powers = own.map((logit) => Math.exp(logit - most));
    const total = powers.reduce((a, b) => a + b, 0);
    let left = random.uniform() * total;
    const drawn = powers.findIndex((power) => (left -= power) < 0);
    powers.forEach((power, l) => {
      const last = drawn < 0 && l === labels - 1;
      rows[from + l] = power / total - (l === drawn || last ? 1 : 0);
    });
  }
  return rows;
}

/**
 * Moments of the model's gradients on some hundred images: two backward passes an image, one for the
 * bases, one for the diagonal in them.
 *
 * @param indices images of `source`
 * @param residuals {@link sampledResiduals} of these images, row after row
 * @param onImages called with the images done since, twice for each image
 * @returns the caller disposes it with {@link disposeMoments}
 */
export async function gradientMoments(
  theta: Weights,
  backbone: Backbone,
  source: ImageFeed,
  indices: readonly number[],
  residuals: Float32Array,
  onImages?: (images: number) => void,
): Promise<GradientMoments> {
  const labels = theta["head.bias"].size;
  const matrices = Object.keys(theta).filter((name) => isMatrix(name, theta[name].shape));
  const n = indices.length;
  /** The mean over images of `terms` of each image's gradient. */
  const mean = async (terms: (gradients: Weights) => Weights): Promise<Weights> => {
    const sum = termSum(theta, terms, 1 / n);
    const step = new Recorded(({ patches, rows }: Tensors) => {
      const { value, gradients } = valueAndGradients(
        (weights) => tf.sum(tf.mul(vit(plain, weights, patches, backbone.shape).logits, rows)),
        theta,
      );
      sum.add(terms(gradients));
      disposeWeights(gradients);
      return { value };
    });
    const done = new Gathered();
    for (const [i, image] of indices.entries()) {
      const { patches, targets } = await source.batch([image]);
      const rows = tf.tensor2d(residuals.subarray(i * labels, (i + 1) * labels), [1, labels]);
      const { value } = step.run({ patches, rows });
      tf.dispose([patches, targets, rows]);
      // Reading now and then keeps the device's queue, and what waits in it, short.
      await done.add([value], () => onImages?.(1));
    }
    await done.finish();
    step.dispose();
    return sum.end();
  };

  const products = await mean((gradients) =>
    Object.fromEntries(matrices.flatMap((name) => {
      const matrix = tf.tidy(() => asMatrix(gradients[name]));
      const pair = [
        [`${LEFT}${name}`, matMul(matrix, matrix, { transposeB: true })],
        [`${RIGHT}${name}`, matMul(matrix, matrix, { transposeA: true })],
      ];
      matrix.dispose();
      return pair;
    }))
  );
  const [left, right] = [await eigenbases(products, LEFT), await eigenbases(products, RIGHT)];
  disposeWeights(products);
  const squares = await mean((gradients) =>
    mapWeights(
      gradients,
      (g, name) => tf.square(left[name] ? rotate(g, left[name], right[name]) : g),
    )
  );
  const diagonal = mapWeights(squares, (d) => tf.div(d, tf.maximum(tf.mean(d), 1e-30)));
  disposeWeights(squares);
  return { left, right, diagonal };
}

/** What precedes a matrix's name in the names of its two moments, E[g gT] and E[gT g]. */
const [LEFT, RIGHT] = ["left ", "right "];

/** U_GT g U_A, [out, in], for use outside of gradients. */
export function rotate(gradient: tf.Tensor, left: tf.Tensor, right: tf.Tensor): tf.Tensor {
  return matMul(matMul(left, asMatrix(gradient), { transposeA: true }), right);
}

/**
 * Eigenvectors as columns, by name, of one side's moments. The largest matrices take minutes: see
 * pgu.ts.
 */
async function eigenbases(moments: Weights, side: string): Promise<Weights> {
  const bases: Record<string, tf.Tensor> = {};
  for (const [name, moment] of Object.entries(moments)) {
    if (!name.startsWith(side)) continue;
    const [size] = moment.shape;
    // Squared gradients of a trained model are small: scaled, rounding stays relative.
    const values = await moment.data() as Float32Array;
    const most = values.reduce((a, b) => Math.max(a, Math.abs(b)), 1e-30);
    const { vectors } = await symmetricEigen(Float64Array.from(values, (v) => v / most), size);
    bases[name.slice(side.length)] = tf.tidy(() =>
      tf.transpose(tf.tensor2d(Float32Array.from(vectors), [size, size]))
    );
  }
  return bases;
}

/**
 * A sum of terms times a factor; in place on WebGPU, so that a recorded step adds to it.
 *
 * @param terms of a set like theta tells their shapes
 * @returns `add` takes the terms over; `end` gives the sum to the caller and frees the rest
 */
function termSum(theta: Weights, terms: (gradients: Weights) => Weights, factor: number) {
  const backend = activeWebgpu();
  if (backend) {
    const like = terms(theta);
    const sum = sumOf(backend, like, true);
    disposeWeights(like);
    const share = tf.keep(tf.tensor1d([factor]));
    return {
      add(found: Weights): void {
        sum.add(found, share, "x");
        disposeWeights(found);
      },
      end(): Weights {
        const whole = sum.copy();
        sum.dispose();
        share.dispose();
        return whole;
      },
    };
  }
  let sum: Weights | null = null;
  return {
    add(found: Weights): void {
      const before = sum;
      const next = before === null
        ? mapWeights(found, (term) => tf.mul(term, factor))
        : addScaled(before, found, factor);
      // It outlives the step that it was computed in.
      sum = mapWeights(next, (term) => tf.keep(tf.clone(term)));
      for (const weights of [before, next, found]) disposeWeights(weights);
    },
    end: (): Weights => sum!,
  };
}
