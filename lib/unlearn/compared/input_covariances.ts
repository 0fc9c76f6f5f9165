import * as tf from "@tensorflow/tfjs";
import { chunks, type ImageFeed, warmed } from "../../data/loader/image_source.ts";
import { vit } from "../../model/vit.ts";
import { type Algebra, plain } from "../../tensor/algebra.ts";
import { eventLoopTurn } from "../../tensor/event_loop.ts";
import { matMul } from "../../tensor/mat_mul.ts";
import { linear } from "../../tensor/ops/linear.ts";
import { reshape } from "../../tensor/ops/reshape.ts";
import { disposeWeights, type Weights } from "../../tensor/weights.ts";
import type { Backbone } from "../logit_gradient.ts";
import { photographShares } from "../photograph_shares.ts";

/**
 * Plain tensors, as `plain`, and a call of `onInput` for each linear layer that is applied.
 *
 * @param onInput gets the layer's name and its input, [rows, in], which it may keep
 */
function observedAlgebra(theta: Weights, onInput: (layer: string, x: tf.Tensor) => void) {
  const layers = new Map(
    Object.entries(theta).filter(([name]) => name.endsWith(".weight"))
      .map(([name, tensor]) => [tensor, name.slice(0, -".weight".length)]),
  );
  const algebra: Algebra<tf.Tensor> = {
    constant: plain.constant,
    // `plain` would free what a block computed at its end, and `onInput` may have kept some of it.
    scope: (f) => f(),
    apply(op, inputs, attributes = {}) {
      if (op.parts) return op.parts(algebra, inputs, attributes);
      const value = plain.apply(op, inputs, attributes);
      // The patch embedding's kernel is used as a matrix.
      const reshaped = op === reshape ? layers.get(inputs[0]) : undefined;
      if (reshaped !== undefined) layers.set(value, reshaped);
      if (op === linear) onInput(layers.get(inputs[1])!, inputs[0]);
      return value;
    },
  };
  return algebra;
}

/** Numbers per image as a column over the rows of a layer's input: each image has as many as another. */
function perRow(numbers: readonly number[], { shape }: tf.Tensor): tf.Tensor {
  const each = shape[0] / numbers.length;
  return tf.tensor2d(numbers.flatMap((number) => new Array<number>(each).fill(number)), [
    shape[0],
    1,
  ]);
}

/**
 * Uncentred covariances of every linear layer's inputs, x xT summed over all tokens of all images; the
 * patch embedding's inputs are its own non-overlapping patches.
 *
 * @param people whose each image is, where somebody has several: all of theirs count as one
 * @returns [in, in] by layer; the caller disposes them
 */
export async function inputCovariances(
  theta: Weights,
  { shape, microBatch }: Backbone,
  source: ImageFeed,
  indices: readonly number[],
  { onImages, people }: {
    readonly onImages?: ((images: number) => void) | undefined;
    readonly people?: readonly number[] | undefined;
  } = {},
): Promise<Weights> {
  const shares = people && photographShares(people);
  const shareOf = shares && new Map(indices.map((index, i) => [index, shares[i]]));
  let sums: Record<string, tf.Tensor> = {};
  for (const piece of warmed(source, chunks(indices, microBatch))) {
    const { patches, targets } = await source.batch(piece);
    const next = tf.tidy(() => {
      const added: Record<string, tf.Tensor> = {};
      const algebra = observedAlgebra(theta, (layer, x) => {
        const counted = shareOf ? tf.mul(x, perRow(piece.map((i) => shareOf.get(i)!), x)) : x;
        const product = matMul(counted, x, { transposeA: true });
        added[layer] = sums[layer] ? tf.add(sums[layer], product) : product;
      });
      vit(algebra, theta, patches, shape);
      return added;
    });
    disposeWeights(sums);
    tf.dispose([patches, targets]);
    sums = next;
    onImages?.(piece.length);
    // Nothing is read here, and on WASM the passes take their time.
    await eventLoopTurn();
  }
  return sums;
}
